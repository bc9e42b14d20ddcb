@description('Name of the AI account, in the resource group that this module is deployed to.')
param accountName string

@description('GUID of the role.')
param roleName string

@description('Object id of who gets it.')
param principalId string

@description('ServicePrincipal, or Group for people.')
param principalType 'ServicePrincipal' | 'Group'

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: accountName
}

// Two environments may give one group the same role: then it is the same assignment, and not a second one, which
// Azure refuses.
resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, '${roleName} ${principalId}')
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName)
    principalId: principalId
    principalType: principalType
  }
}
