import { tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the storage account with the state of the broker. The apps\' hosts have accounts of their own.')
param storageName string

@description('Keep three copies in three zones instead of one.')
param zoneRedundant bool

@description('Admit private endpoints and trusted Azure services only.')
param privateNetwork bool

@description('Days for which nothing of the audit\'s proof can be changed or removed.')
param proofDays int

@description('Somebody has locked the policy: Azure takes no change of it any more, also none that changes nothing.')
param proofLocked bool

@description('Name of the container for events that could not be delivered.')
param deadLettersName string

@description('Tags.')
param resourceTags tags

@description('The tables of src/table-names.ts.')
var tableNames = [
  'state'
  'rotation'
  'audit'
  'ledger'
  'history'
  'demands'
  'events'
  'operations'
  'policy'
  'usage'
]

@description('What the issuer app and Event Grid tell the rotator app, and what the rotator\'s host gave up.')
var queueNames = [
  'events'
  'events-poison'
  'demands'
  'demands-poison'
]

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: storageName
  location: location
  tags: resourceTags
  kind: 'StorageV2'
  sku: {
    name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
  }
  properties: {
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    supportsHttpsTrafficOnly: true
    minimumTlsVersion: 'TLS1_2'
    // Not Disabled in the private mode: Event Grid must still deliver to the queue and dead-letter, as a trusted
    // service, which its topics' identities make it.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: storage
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: deadLettersName
  properties: {
    publicAccess: 'None'
  }
}

// A blob of it is appended to for a day, by a role that can do no more. Azure locks the policy for good, so a person
// does that (README.md, The proof of the audit), and a deployment leaves a locked one alone.
resource proof 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: 'proof'
  properties: {
    publicAccess: 'None'
  }
}

resource proofPolicy 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-06-01' = if (!proofLocked) {
  parent: proof
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: proofDays
    allowProtectedAppendWrites: true
  }
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: storage
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' = [
  for tableName in tableNames: {
    parent: tableService
    name: tableName
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: storage
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [
  for queueName in queueNames: {
    parent: queueService
    name: queueName
  }
]

@description('ARM id of the storage account.')
output storageId string = storage.id

@description('URL of the blob service.')
output blobUrl string = storage.properties.primaryEndpoints.blob

@description('URL of the queue service.')
output queueUrl string = storage.properties.primaryEndpoints.queue

@description('URL of the table service.')
output tableUrl string = storage.properties.primaryEndpoints.table
