// What the two identities of the pipeline hold at the subscription, and what each of their roles is.
targetScope = 'subscription'

@description('Tells the roles of two environments apart: role names are unique in a tenant.')
param suffix string

@description('GUIDs of the roles.')
param roleNames {
  @description('Writes the resources of a broker.')
  deployer: string

  @description('Deploys templates.')
  deployments: string

  @description('Asks what a template would change.')
  whatIf: string
}

@description('Subscriptions in which the roles can be assigned.')
param assignableScopes string[]

@description('Object id of the identity that deploys.')
param deployPrincipalId string

@description('Object id of the identity that asks what would change.')
param whatIfPrincipalId string

@description('What each role holds. None deletes a resource, lists keys of storage or AI accounts, or reads data.')
var definitions = [
  {
    // In the broker's resource group. Contributor would do, with which one also deletes everything.
    id: roleNames.deployer
    name: 'AI token broker pipeline deployer'
    description: 'Makes and changes the resources of a broker. Deletes none.'
    actions: [
      'Microsoft.Authorization/*/read'
      'Microsoft.EventGrid/systemTopics/read'
      'Microsoft.EventGrid/systemTopics/write'
      'Microsoft.EventGrid/systemTopics/eventSubscriptions/read'
      'Microsoft.EventGrid/systemTopics/eventSubscriptions/write'
      'Microsoft.EventGrid/topics/read'
      'Microsoft.EventGrid/topics/write'
      'Microsoft.EventGrid/topics/eventSubscriptions/read'
      'Microsoft.EventGrid/topics/eventSubscriptions/write'
      // Of the vault, whose events its topic tells.
      'Microsoft.EventGrid/eventSubscriptions/write'
      'Microsoft.Insights/actionGroups/read'
      'Microsoft.Insights/actionGroups/write'
      'Microsoft.Insights/components/read'
      'Microsoft.Insights/components/write'
      'Microsoft.Insights/diagnosticSettings/read'
      'Microsoft.Insights/diagnosticSettings/write'
      'Microsoft.Insights/metricAlerts/read'
      'Microsoft.Insights/metricAlerts/write'
      'Microsoft.Insights/scheduledQueryRules/read'
      'Microsoft.Insights/scheduledQueryRules/write'
      'Microsoft.Insights/webtests/read'
      'Microsoft.Insights/webtests/write'
      'Microsoft.Insights/workbooks/read'
      'Microsoft.Insights/workbooks/write'
      'Microsoft.KeyVault/vaults/read'
      'Microsoft.KeyVault/vaults/write'
      'Microsoft.KeyVault/vaults/privateEndpointConnectionsApproval/action'
      'Microsoft.ManagedIdentity/userAssignedIdentities/read'
      'Microsoft.ManagedIdentity/userAssignedIdentities/write'
      'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'
      'Microsoft.Network/privateDnsZones/read'
      'Microsoft.Network/privateDnsZones/write'
      'Microsoft.Network/privateDnsZones/join/action'
      'Microsoft.Network/privateDnsZones/virtualNetworkLinks/read'
      'Microsoft.Network/privateDnsZones/virtualNetworkLinks/write'
      'Microsoft.Network/privateEndpoints/read'
      'Microsoft.Network/privateEndpoints/write'
      'Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read'
      'Microsoft.Network/privateEndpoints/privateDnsZoneGroups/write'
      'Microsoft.Network/virtualNetworks/read'
      'Microsoft.Network/virtualNetworks/write'
      'Microsoft.Network/virtualNetworks/join/action'
      'Microsoft.Network/virtualNetworks/subnets/read'
      'Microsoft.Network/virtualNetworks/subnets/write'
      'Microsoft.Network/virtualNetworks/subnets/join/action'
      'Microsoft.OperationalInsights/workspaces/read'
      'Microsoft.OperationalInsights/workspaces/write'
      // What a diagnostic setting asks for. The workspace takes no shared key.
      'Microsoft.OperationalInsights/workspaces/sharedKeys/action'
      'Microsoft.Resources/deployments/read'
      'Microsoft.Resources/deployments/write'
      'Microsoft.Resources/deployments/validate/action'
      'Microsoft.Resources/deployments/operations/read'
      'Microsoft.Resources/deployments/operationstatuses/read'
      'Microsoft.Resources/subscriptions/resourceGroups/read'
      'Microsoft.Resources/subscriptions/resourceGroups/write'
      'Microsoft.Storage/storageAccounts/read'
      'Microsoft.Storage/storageAccounts/write'
      'Microsoft.Storage/storageAccounts/privateEndpointConnectionsApproval/action'
      'Microsoft.Storage/storageAccounts/blobServices/read'
      'Microsoft.Storage/storageAccounts/blobServices/write'
      'Microsoft.Storage/storageAccounts/blobServices/containers/read'
      'Microsoft.Storage/storageAccounts/blobServices/containers/write'
      'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/read'
      'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/write'
      'Microsoft.Storage/storageAccounts/queueServices/read'
      'Microsoft.Storage/storageAccounts/queueServices/write'
      'Microsoft.Storage/storageAccounts/queueServices/queues/read'
      'Microsoft.Storage/storageAccounts/queueServices/queues/write'
      'Microsoft.Storage/storageAccounts/tableServices/read'
      'Microsoft.Storage/storageAccounts/tableServices/write'
      'Microsoft.Storage/storageAccounts/tableServices/tables/read'
      'Microsoft.Storage/storageAccounts/tableServices/tables/write'
      'Microsoft.Web/serverfarms/read'
      'Microsoft.Web/serverfarms/write'
      'Microsoft.Web/serverfarms/join/action'
      'Microsoft.Web/sites/read'
      'Microsoft.Web/sites/write'
      'Microsoft.Web/sites/basicPublishingCredentialsPolicies/read'
      'Microsoft.Web/sites/basicPublishingCredentialsPolicies/write'
      'Microsoft.Web/sites/config/read'
      'Microsoft.Web/sites/config/write'
      'Microsoft.Web/sites/config/list/action'
      'Microsoft.Web/sites/deployments/read'
      'Microsoft.Web/sites/functions/read'
      'Microsoft.Web/sites/operationresults/read'
      // A package is sent with it.
      'Microsoft.Web/sites/publish/action'
    ]
  }
  {
    // At the subscription, because the template of an environment is deployed there, and in the groups of the accounts.
    id: roleNames.deployments
    name: 'AI token broker pipeline deployments'
    description: 'Deploys templates, and reads what is needed to find a deployment again.'
    actions: [
      'Microsoft.EventGrid/systemTopics/read'
      'Microsoft.KeyVault/deletedVaults/read'
      'Microsoft.KeyVault/locations/deletedVaults/read'
      'Microsoft.Resources/deployments/read'
      'Microsoft.Resources/deployments/write'
      'Microsoft.Resources/deployments/validate/action'
      'Microsoft.Resources/deployments/operations/read'
      'Microsoft.Resources/deployments/operationstatuses/read'
      'Microsoft.Resources/subscriptions/read'
      'Microsoft.Resources/subscriptions/locations/read'
      'Microsoft.Resources/subscriptions/providers/read'
      'Microsoft.Resources/subscriptions/resourceGroups/read'
      'Microsoft.Resources/subscriptions/resources/read'
    ]
  }
  {
    id: roleNames.whatIf
    name: 'AI token broker pipeline what-if'
    description: 'Reads resources and asks what a template would change. Writes nothing.'
    actions: [
      '*/read'
      'Microsoft.Resources/deployments/whatIf/action'
    ]
  }
]

resource roles 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for definition in definitions: {
    name: definition.id
    properties: {
      roleName: '${definition.name} (${suffix})'
      description: definition.description
      type: 'CustomRole'
      assignableScopes: assignableScopes
      permissions: [
        {
          actions: definition.actions
          notActions: []
          dataActions: []
          notDataActions: []
        }
      ]
    }
  }
]

resource deployments 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, deployPrincipalId, roleNames.deployments)
  dependsOn: [
    roles
  ]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNames.deployments)
    principalId: deployPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource reading 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, whatIfPrincipalId, roleNames.whatIf)
  dependsOn: [
    roles
  ]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNames.whatIf)
    principalId: whatIfPrincipalId
    principalType: 'ServicePrincipal'
  }
}
