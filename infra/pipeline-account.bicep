// On one AI account the deploying identity may give the roles that grants.bicep and roles.bicep give there.
import { onlyThese, roleAdministrator } from 'pipeline-condition.bicep'

@description('Name of the AI account, in the resource group that this module is deployed to.')
param accountName string

@description('Object id of the identity.')
param principalId string

@description('GUIDs of the roles that it may assign.')
param assignableRoles string[]

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: accountName
}

resource administration 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, principalId, roleAdministrator)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleAdministrator)
    principalId: principalId
    principalType: 'ServicePrincipal'
    condition: onlyThese(assignableRoles, ['ServicePrincipal', 'Group'])
    conditionVersion: '2.0'
  }
}
