// Every permission that the deployment gives: to whom, on what. Nothing else in this folder assigns a role;
// account-role.bicep only carries the AI accounts' part of this page into their resource groups.
import { aiAccount, principals } from 'types.bicep'

@description('Who gets roles.')
param principalIds principals

@description('Storage of the app: package, locks, tables, dead letters.')
param storageName string

@description('Container for events that could not be delivered.')
param deadLettersName string

@description('The vault with the account keys.')
param vaultName string

@description('The Application Insights component.')
param componentName string

@description('The topic of the broker\'s own events.')
param topicName string

@description('The topics that may dead-letter, by their names in principalIds.')
param deadLetterWriters ('topic' | 'vaultTopic' | 'activityTopic')[]

@description('Object ids of service principals that may publish to the broker\'s own topic.')
param eventPublishers string[]

@description('The AI accounts and who may use them.')
param accounts aiAccount[]

@description('GUID of the custom rotator role.')
param rotatorRoleName string

@description('GUID of the custom data role.')
param dataRoleName string

@description('Built-in roles. The general user roles of Cognitive Services and Foundry are not among them and must not be: they list keys.')
var builtIn = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  eventGridDataSender: 'd5a91429-5739-47e2-a06b-3470a27159e7'
}

@description('What an account grant may name.')
var dataRoles = {
  speech: 'f2dc8367-1007-4938-bd23-fe263f013447'
  openai: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
  data: dataRoleName
}

@description('One entry for each grant of each account.')
var dataGrants = flatten(map(
  accounts,
  account => map(account.grants, grant => {
    accountId: account.id
    role: grant.role
    to: grant.to
    principalId: grant.?principalId ?? ''
  })
))

@description('Resource type of a role.')
var roleType = 'Microsoft.Authorization/roleDefinitions'

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: storage
  name: 'default'
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: blobs
  name: deadLettersName
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

// --- the issuer identity ---

// The deployed package, and the host's own blobs (timer locks, keys).
resource issuerBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage
  name: guid(storage.id, 'issuer', builtIn.storageBlobDataOwner)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, builtIn.storageBlobDataOwner)
    principalId: principalIds.issuer
    principalType: 'ServicePrincipal'
  }
}

// State, audit, mint ledger, history and events, and the host's diagnostic table.
resource issuerTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage
  name: guid(storage.id, 'issuer', builtIn.storageTableDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, builtIn.storageTableDataContributor)
    principalId: principalIds.issuer
    principalType: 'ServicePrincipal'
  }
}

// Reads the current key to buy tokens with it. Cannot write one.
resource issuerSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, 'issuer', builtIn.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, builtIn.keyVaultSecretsUser)
    principalId: principalIds.issuer
    principalType: 'ServicePrincipal'
  }
}

resource issuerTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: component
  name: guid(component.id, 'issuer', builtIn.monitoringMetricsPublisher)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, builtIn.monitoringMetricsPublisher)
    principalId: principalIds.issuer
    principalType: 'ServicePrincipal'
  }
}

// --- the rotator identity ---

resource rotatorSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, 'rotator', rotatorRoleName)
  properties: {
    roleDefinitionId: subscriptionResourceId(roleType, rotatorRoleName)
    principalId: principalIds.rotator
    principalType: 'ServicePrincipal'
  }
}

module rotatorKeys 'account-role.bicep' = [
  for account in filter(accounts, item => item.rotated): {
    scope: resourceGroup(split(account.id, '/')[2], split(account.id, '/')[4])
    params: {
      accountName: last(split(account.id, '/'))
      roleName: rotatorRoleName
      principalId: principalIds.rotator
      principalType: 'ServicePrincipal'
      assignmentKey: '${vault.id} rotator'
    }
  }
]

// --- whose tokens the broker hands out: the application, other identities, the people it acts for ---

module accountUsers 'account-role.bicep' = [
  for grant in dataGrants: {
    scope: resourceGroup(split(grant.accountId, '/')[2], split(grant.accountId, '/')[4])
    params: {
      accountName: last(split(grant.accountId, '/'))
      roleName: dataRoles[grant.role]
      principalId: grant.to == 'application'
        ? principalIds.application
        : grant.to == 'systemAssigned' ? principalIds.systemAssigned : grant.principalId
      principalType: grant.to == 'group' ? 'Group' : 'ServicePrincipal'
      // Two environments may give one group the same role: then it is the same assignment, and not a second one,
      // which Azure refuses.
      assignmentKey: empty(grant.principalId)
        ? '${vault.id} ${grant.role} ${grant.to}'
        : '${dataRoles[grant.role]} ${grant.principalId}'
    }
  }
]

// --- events ---

resource publishers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for publisher in eventPublishers: {
    scope: topic
    name: guid(topic.id, publisher, builtIn.eventGridDataSender)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, builtIn.eventGridDataSender)
      principalId: publisher
      principalType: 'ServicePrincipal'
    }
  }
]

resource deadLetterWriting 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for writer in deadLetterWriters: {
    scope: deadLetters
    name: guid(deadLetters.id, writer, builtIn.storageBlobDataContributor)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, builtIn.storageBlobDataContributor)
      principalId: principalIds[writer]
      principalType: 'ServicePrincipal'
    }
  }
]
