// Whom the workflows sign in as. Neither has a secret: GitHub says who asks, and each believes one subject only.
@description('Region.')
param location string

@description('Start of the names.')
param prefix string

@description('The GitHub repository, owner/name.')
param repository string

@description('The GitHub environment that may deploy.')
param environmentName string

@description('Who issues the tokens of GitHub\'s workflows.')
var issuer = 'https://token.actions.githubusercontent.com'

@description('What those tokens are for.')
var audiences = ['api://AzureADTokenExchange']

resource deploy 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${prefix}-deploy'
  location: location
}

resource deployTrust 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = {
  parent: deploy
  name: 'environment'
  properties: {
    issuer: issuer
    subject: 'repo:${repository}:environment:${environmentName}'
    audiences: audiences
  }
}

// For every pull request of the repository; GitHub gives those from forks no token.
resource whatIf 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${prefix}-what-if'
  location: location
}

resource whatIfTrust 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = {
  parent: whatIf
  name: 'pull-request'
  properties: {
    issuer: issuer
    subject: 'repo:${repository}:pull_request'
    audiences: audiences
  }
}

@description('Client id of who deploys.')
output deployClientId string = deploy.properties.clientId

@description('Object id of who deploys.')
output deployPrincipalId string = deploy.properties.principalId

@description('Client id of who asks what would change.')
output whatIfClientId string = whatIf.properties.clientId

@description('Object id of who asks what would change.')
output whatIfPrincipalId string = whatIf.properties.principalId
