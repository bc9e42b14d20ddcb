import { tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the storage account.')
param storageName string

@description('Keep three copies in three zones instead of one.')
param zoneRedundant bool

@description('Admit private endpoints and trusted Azure services only.')
param privateNetwork bool

@description('Name of the container that holds the deployed package.')
param packagesName string

@description('Name of the container for events that could not be delivered.')
param deadLettersName string

@description('Tags.')
param resourceTags tags

@description('The tables of src/azure/tables.ts.')
var tableNames = [
  'state'
  'rotation'
  'audit'
  'ledger'
  'history'
  'events'
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
    // Not Disabled in the private mode: Event Grid must still be able to dead-letter, as a trusted service.
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

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: packagesName
  properties: {
    publicAccess: 'None'
  }
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: deadLettersName
  properties: {
    publicAccess: 'None'
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

@description('URL of the blob service.')
output blobUrl string = storage.properties.primaryEndpoints.blob

@description('URL of the queue service.')
output queueUrl string = storage.properties.primaryEndpoints.queue

@description('URL of the table service.')
output tableUrl string = storage.properties.primaryEndpoints.table
