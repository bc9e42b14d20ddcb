// What the workflows may do in Azure, for one environment (README.md, Pipeline). A person who owns the subscription
// deploys it, once and again when a role in role-definitions.bicep or an account changes:
// az deployment sub create -l <region> -f infra/pipeline.bicep -p environmentName=dev location=<region> repository=<owner>/<name>
//
// The pipeline may assign the roles that the deployment assigns and no other, which is worth nothing to whoever may
// also write what those roles hold. So the custom roles are made here, and the pipeline cannot change them.
targetScope = 'subscription'

@description('An entry of environments.json, and the GitHub environment of the same name.')
@minLength(2)
@maxLength(12)
param environmentName string

@description('Region of the broker, as main.bicep gets it: the names of the custom roles hold it.')
param location string

@description('The GitHub repository, owner/name.')
param repository string

@description('The accounts of the environment.')
var accounts = loadJsonContent('environments.json')[environmentName].accounts

@description('On every resource.')
var resourceTags = {
  'azd-env-name': environmentName
  application: 'azure-ai-token-broker'
}

@description('As in main.bicep.')
var unique = uniqueString(subscription().id, environmentName, location)

@description('As in main.bicep.')
var prefix = 'broker-${environmentName}'

@description('GUIDs of the custom roles, as in main.bicep.')
var roleNames = {
  rotator: guid(subscription().id, prefix, unique, 'rotator')
  currentSecret: guid(subscription().id, prefix, unique, 'currentSecret')
  appender: guid(subscription().id, prefix, unique, 'appender')
  writer: guid(subscription().id, prefix, unique, 'writer')
  keeper: guid(subscription().id, prefix, unique, 'keeper')
  settler: guid(subscription().id, prefix, unique, 'settler')
  sweeper: guid(subscription().id, prefix, unique, 'sweeper')
  proofAppender: guid(subscription().id, prefix, unique, 'proofAppender')
  queueWorker: guid(subscription().id, prefix, unique, 'queueWorker')
  data: guid(subscription().id, prefix, unique, 'data')
}

@description('What the deployment assigns in its own resource group, to identities of its own and to eventPublishers.')
var rolesInGroup = {
  rotator: roleNames.rotator
  currentSecret: roleNames.currentSecret
  appender: roleNames.appender
  writer: roleNames.writer
  keeper: roleNames.keeper
  settler: roleNames.settler
  sweeper: roleNames.sweeper
  proofAppender: roleNames.proofAppender
  queueWorker: roleNames.queueWorker
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageBlobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  storageTableDataReader: '76199698-9eea-4c19-bc75-cec21354c6b6'
  storageQueueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  eventGridDataSender: 'd5a91429-5739-47e2-a06b-3470a27159e7'
}

@description('What the deployment assigns on an AI account, to the same and to groups.')
var rolesOnAccounts = {
  rotator: roleNames.rotator
  data: roleNames.data
  speech: 'f2dc8367-1007-4938-bd23-fe263f013447'
  openai: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
}

@description('Resource groups of the accounts, each once.')
var accountGroups = union(map(accounts, account => join(take(split(account.id, '/'), 5), '/')), [])

@description('Subscriptions in which the roles can be assigned.')
var assignableScopes = union(
  [subscription().id],
  map(accounts, account => '/subscriptions/${split(account.id, '/')[2]}')
)

@description('GUIDs of the roles of the two pipeline identities.')
var pipelineRoles = {
  deployer: guid(subscription().id, prefix, unique, 'pipeline deployer')
  deployments: guid(subscription().id, prefix, unique, 'pipeline deployments')
  whatIf: guid(subscription().id, prefix, unique, 'pipeline what-if')
}

resource brokerGroup 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${prefix}'
  location: location
  tags: resourceTags
}

// Apart from the broker's, so that `azd down` leaves the pipeline as it is. An environment's name begins after
// `rg-broker-`, so no environment has this group.
resource pipelineGroup 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-pipeline-${prefix}'
  location: location
  tags: {
    application: 'azure-ai-token-broker'
  }
}

module identities 'pipeline-identities.bicep' = {
  scope: pipelineGroup
  params: {
    location: location
    prefix: prefix
    repository: repository
    environmentName: environmentName
  }
}

module brokerRoles 'role-definitions.bicep' = {
  params: {
    suffix: '${environmentName} ${take(unique, 6)}'
    roleNames: roleNames
    assignableScopes: assignableScopes
  }
}

module roleDefinitions 'pipeline-roles.bicep' = {
  params: {
    suffix: '${environmentName} ${take(unique, 6)}'
    roleNames: pipelineRoles
    assignableScopes: assignableScopes
    // Who holds a role is part of an assignment's name, so What-If cannot name it before it is known.
    #disable-next-line what-if-short-circuiting
    deployPrincipalId: identities.outputs.deployPrincipalId
    #disable-next-line what-if-short-circuiting
    whatIfPrincipalId: identities.outputs.whatIfPrincipalId
  }
}

module inGroup 'pipeline-group.bicep' = {
  scope: brokerGroup
  dependsOn: [
    roleDefinitions
  ]
  params: {
    #disable-next-line what-if-short-circuiting
    principalId: identities.outputs.deployPrincipalId
    roleNames: [pipelineRoles.deployer]
    assignableRoles: map(items(rolesInGroup), role => role.value)
  }
}

// A role on an account is given by a deployment into the account's resource group.
module inAccountGroups 'pipeline-group.bicep' = [
  for id in accountGroups: {
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    dependsOn: [
      roleDefinitions
    ]
    params: {
      #disable-next-line what-if-short-circuiting
      principalId: identities.outputs.deployPrincipalId
      roleNames: [pipelineRoles.deployments]
      assignableRoles: []
    }
  }
]

module onAccounts 'pipeline-account.bicep' = [
  for account in accounts: {
    scope: resourceGroup(split(account.id, '/')[2], split(account.id, '/')[4])
    params: {
      accountName: last(split(account.id, '/'))
      #disable-next-line what-if-short-circuiting
      principalId: identities.outputs.deployPrincipalId
      assignableRoles: map(items(rolesOnAccounts), role => role.value)
    }
  }
]

@description('AZURE_CLIENT_ID of the GitHub environment.')
output AZURE_CLIENT_ID string = identities.outputs.deployClientId

@description('AZURE_WHAT_IF_CLIENT_ID of the repository.')
output AZURE_WHAT_IF_CLIENT_ID string = identities.outputs.whatIfClientId
