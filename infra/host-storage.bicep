// The storage account of one app's host: the deployed package, locks, keys. Whoever writes here replaces the app, so
// the two apps share none.
import { hostStorage, tags } from 'types.bicep'

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

@description('Tags.')
param resourceTags tags

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
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
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

@description('ARM id of the storage account.')
output storageId string = storage.id

@description('Where the host finds its storage.')
output host hostStorage = {
  packagesUrl: '${storage.properties.primaryEndpoints.blob}${packagesName}'
  blobUrl: storage.properties.primaryEndpoints.blob
  queueUrl: storage.properties.primaryEndpoints.queue
  tableUrl: storage.properties.primaryEndpoints.table
}
