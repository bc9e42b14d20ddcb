// What the deploying identity has in one resource group.
import { onlyThese, roleAdministrator } from 'pipeline-condition.bicep'

@description('Object id of the identity.')
param principalId string

@description('GUIDs of the roles.')
param roleNames string[]

@description('GUIDs of the roles that it may assign to service principals. Empty: it may assign none.')
param assignableRoles string[]

@description('Resource type of a role.')
var roleType = 'Microsoft.Authorization/roleDefinitions'

resource given 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for roleName in roleNames: {
    name: guid(resourceGroup().id, principalId, roleName)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, roleName)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource administration 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(assignableRoles)) {
  name: guid(resourceGroup().id, principalId, roleAdministrator)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, roleAdministrator)
    principalId: principalId
    principalType: 'ServicePrincipal'
    condition: onlyThese(assignableRoles, ['ServicePrincipal'])
    conditionVersion: '2.0'
  }
}
