import { tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the virtual network.')
param networkName string

@description('Name of the storage account with tables and queues to reach privately.')
param storageName string

@description('Name of the storage account of the issuer app\'s host.')
param issuerStorageName string

@description('Name of the storage account of the rotator app\'s host.')
param rotatorStorageName string

@description('Name of the vault to reach privately.')
param vaultName string

@description('Tags.')
param resourceTags tags

@description('Private DNS zone of each service that is reached privately. The names follow the cloud: .vault.azure.net becomes privatelink.vaultcore.azure.net.')
var zoneNames = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  vault: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
}

@description('What is reached privately.')
var endpoints = [
  {
    name: 'table'
    service: 'table'
    target: resourceId('Microsoft.Storage/storageAccounts', storageName)
  }
  {
    name: 'queue'
    service: 'queue'
    target: resourceId('Microsoft.Storage/storageAccounts', storageName)
  }
  {
    name: 'blob'
    service: 'blob'
    target: resourceId('Microsoft.Storage/storageAccounts', storageName)
  }
  {
    name: 'issuer-host'
    service: 'blob'
    target: resourceId('Microsoft.Storage/storageAccounts', issuerStorageName)
  }
  {
    name: 'rotator-host'
    service: 'blob'
    target: resourceId('Microsoft.Storage/storageAccounts', rotatorStorageName)
  }
  {
    name: 'vault'
    service: 'vault'
    target: resourceId('Microsoft.KeyVault/vaults', vaultName)
  }
]

@description('What Flex Consumption asks of its subnets. The resource provider Microsoft.App must be registered: hooks.sh does it.')
var flexDelegations = [
  {
    name: 'flex'
    properties: {
      serviceName: 'Microsoft.App/environments'
    }
  }
]

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: networkName
  location: location
  tags: resourceTags
  properties: {
    addressSpace: {
      addressPrefixes: [
        '10.71.0.0/24'
      ]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.71.0.0/26'
          delegations: flexDelegations
        }
      }
      {
        name: 'rotator'
        properties: {
          addressPrefix: '10.71.0.128/26'
          delegations: flexDelegations
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.71.0.64/26'
        }
      }
    ]
  }
}

// One zone a service, not one an endpoint: a network takes one link to a zone.
resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in items(zoneNames): {
    name: zone.value
    location: 'global'
    tags: resourceTags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in items(zoneNames): {
    parent: zones[index]
    name: '${networkName}-${zone.key}'
    location: 'global'
    tags: resourceTags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: network.id
      }
    }
  }
]

module privateEndpoints 'private-endpoint.bicep' = [
  for endpoint in endpoints: {
    dependsOn: [
      zones
    ]
    params: {
      location: location
      endpointName: '${networkName}-${endpoint.name}'
      groupId: endpoint.service
      targetId: endpoint.target
      zoneId: resourceId('Microsoft.Network/privateDnsZones', zoneNames[endpoint.service])
      subnetId: '${network.id}/subnets/endpoints'
      resourceTags: resourceTags
    }
  }
]

@description('ARM id of the subnet of the issuer app.')
output issuerSubnetId string = '${network.id}/subnets/app'

@description('ARM id of the subnet of the rotator app.')
output rotatorSubnetId string = '${network.id}/subnets/rotator'
