import { tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the vault.')
param vaultName string

@description('Admit private endpoints and trusted Azure services only.')
param privateNetwork bool

@description('Where the vault\'s audit log goes.')
param workspaceId string

@description('Tags.')
param resourceTags tags

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: vaultName
  location: location
  tags: resourceTags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
    }
  }
}

// The rule knows a version of 2016 as the newest; this is the one that Azure Monitor documents.
#disable-next-line use-recent-api-versions
resource auditLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

@description('URL of the vault.')
output vaultUrl string = vault.properties.vaultUri
