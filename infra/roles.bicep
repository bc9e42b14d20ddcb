// What the two identities may do: each line of the tables below is one role on one table, queue, vault or account.
// Who else gets roles: event-roles.bicep (topics and publishers), grants.bicep (whose tokens are handed out).
import { aiAccount, appPrincipals, customRoleNames } from 'types.bicep'

@description('Object ids of the two identities.')
param principalIds appPrincipals

@description('Storage account with the tables, the queues and the proof.')
param storageName string

@description('Storage account of the issuer app\'s host: its package and the host\'s own blobs.')
param issuerStorageName string

@description('Storage account of the rotator app\'s host.')
param rotatorStorageName string

@description('The vault with the account keys.')
param vaultName string

@description('The Application Insights component.')
param componentName string

@description('The AI accounts.')
param accounts aiAccount[]

@description('GUIDs of the custom roles.')
param roleNames customRoleNames

@description('Built-in roles. The general user roles of Cognitive Services and Foundry are not among them and must not be: they list keys.')
var builtIn = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageBlobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  storageTableDataReader: '76199698-9eea-4c19-bc75-cec21354c6b6'
  storageQueueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

@description('Each table that an app may use, and how.')
var tableRoles = [
  { identity: 'issuer', table: 'state', role: roleNames.writer }
  { identity: 'issuer', table: 'rotation', role: builtIn.storageTableDataReader }
  { identity: 'issuer', table: 'history', role: builtIn.storageTableDataReader }
  { identity: 'issuer', table: 'ledger', role: roleNames.writer }
  { identity: 'issuer', table: 'audit', role: roleNames.appender }
  { identity: 'issuer', table: 'demands', role: roleNames.appender }
  { identity: 'issuer', table: 'events', role: roleNames.writer }
  { identity: 'issuer', table: 'operations', role: roleNames.appender }
  { identity: 'issuer', table: 'policy', role: roleNames.appender }
  { identity: 'issuer', table: 'usage', role: builtIn.storageTableDataReader }
  { identity: 'rotator', table: 'state', role: roleNames.keeper }
  { identity: 'rotator', table: 'rotation', role: roleNames.writer }
  { identity: 'rotator', table: 'history', role: roleNames.writer }
  { identity: 'rotator', table: 'ledger', role: roleNames.sweeper }
  { identity: 'rotator', table: 'demands', role: roleNames.settler }
  { identity: 'rotator', table: 'events', role: roleNames.keeper }
  { identity: 'rotator', table: 'operations', role: roleNames.sweeper }
  { identity: 'rotator', table: 'policy', role: builtIn.storageTableDataReader }
  { identity: 'rotator', table: 'audit', role: roleNames.sweeper }
  { identity: 'rotator', table: 'usage', role: roleNames.keeper }
]

@description('Each queue that an app may use, and how. The host puts into a poison queue what failed too often.')
var queueRoles = [
  { identity: 'issuer', queue: 'events', role: builtIn.storageQueueDataMessageSender }
  { identity: 'issuer', queue: 'demands', role: builtIn.storageQueueDataMessageSender }
  { identity: 'rotator', queue: 'events', role: roleNames.queueWorker }
  { identity: 'rotator', queue: 'demands', role: roleNames.queueWorker }
  { identity: 'rotator', queue: 'events-poison', role: builtIn.storageQueueDataMessageSender }
  { identity: 'rotator', queue: 'demands-poison', role: builtIn.storageQueueDataMessageSender }
]

@description('The container of the audit\'s proof: nobody can change what is in it, and the issuer cannot add to it.')
var containerRoles = [
  { identity: 'issuer', container: 'proof', role: builtIn.storageBlobDataReader }
  { identity: 'rotator', container: 'proof', role: roleNames.proofAppender }
]

@description('The vault: the issuer buys tokens with the current key and cannot write one.')
var vaultRoles = [
  { identity: 'issuer', role: roleNames.currentSecret }
  { identity: 'rotator', role: roleNames.rotator }
]

@description('The app\'s own host: its package, and the host\'s own blobs (locks, keys). Never the other app\'s.')
var hostRoles = [
  { identity: 'issuer', storage: issuerStorageName, role: builtIn.storageBlobDataOwner }
  { identity: 'rotator', storage: rotatorStorageName, role: builtIn.storageBlobDataOwner }
]

@description('Telemetry is accepted from those two only.')
var componentRoles = [
  { identity: 'issuer', role: builtIn.monitoringMetricsPublisher }
  { identity: 'rotator', role: builtIn.monitoringMetricsPublisher }
]

@description('Resource type of a role.')
var roleType = 'Microsoft.Authorization/roleDefinitions'

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' existing = {
  parent: storage
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' existing = [
  for item in tableRoles: {
    parent: tableService
    name: item.table
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' existing = {
  parent: storage
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = [
  for item in queueRoles: {
    parent: queueService
    name: item.queue
  }
]

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: storage
  name: 'default'
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = [
  for item in containerRoles: {
    parent: blobService
    name: item.container
  }
]

resource hosts 'Microsoft.Storage/storageAccounts@2025-06-01' existing = [
  for item in hostRoles: {
    name: item.storage
  }
]

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

// The principal is part of each name: an identity that was deleted and made again gets assignments of its own,
// because Azure refuses to change the holder of an assignment.
resource onTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (item, index) in tableRoles: {
    scope: tables[index]
    name: guid(tables[index].id, principalIds[item.identity], item.role)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, item.role)
      principalId: principalIds[item.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

resource onQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (item, index) in queueRoles: {
    scope: queues[index]
    name: guid(queues[index].id, principalIds[item.identity], item.role)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, item.role)
      principalId: principalIds[item.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

resource onContainers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (item, index) in containerRoles: {
    scope: containers[index]
    name: guid(containers[index].id, principalIds[item.identity], item.role)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, item.role)
      principalId: principalIds[item.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

resource onHosts 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (item, index) in hostRoles: {
    scope: hosts[index]
    name: guid(hosts[index].id, principalIds[item.identity], item.role)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, item.role)
      principalId: principalIds[item.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

resource onVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for item in vaultRoles: {
    scope: vault
    name: guid(vault.id, principalIds[item.identity], item.role)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, item.role)
      principalId: principalIds[item.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

resource onComponent 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for item in componentRoles: {
    scope: component
    name: guid(component.id, principalIds[item.identity], item.role)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, item.role)
      principalId: principalIds[item.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

module onAccounts 'account-role.bicep' = [
  for account in filter(accounts, item => item.rotated): {
    scope: resourceGroup(split(account.id, '/')[2], split(account.id, '/')[4])
    params: {
      accountName: last(split(account.id, '/'))
      roleName: roleNames.rotator
      principalId: principalIds.rotator
      principalType: 'ServicePrincipal'
    }
  }
]
