import { tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the virtual network.')
param networkName string

@description('Name of the storage account to reach privately.')
param storageName string

@description('Name of the vault to reach privately.')
param vaultName string

@description('Tags.')
param resourceTags tags

@description('What is reached privately. The zone names follow the cloud: .vault.azure.net becomes privatelink.vaultcore.azure.net.')
var endpoints = [
  {
    name: 'blob'
    zone: 'privatelink.blob.${environment().suffixes.storage}'
    target: resourceId('Microsoft.Storage/storageAccounts', storageName)
  }
  {
    name: 'table'
    zone: 'privatelink.table.${environment().suffixes.storage}'
    target: resourceId('Microsoft.Storage/storageAccounts', storageName)
  }
  {
    name: 'vault'
    zone: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
    target: resourceId('Microsoft.KeyVault/vaults', vaultName)
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
          // What Flex Consumption asks of its subnet.
          delegations: [
            {
              name: 'flex'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
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

module privateEndpoints 'private-endpoint.bicep' = [
  for endpoint in endpoints: {
    params: {
      location: location
      endpointName: '${networkName}-${endpoint.name}'
      groupId: endpoint.name
      targetId: endpoint.target
      zoneName: endpoint.zone
      networkId: network.id
      subnetId: '${network.id}/subnets/endpoints'
      resourceTags: resourceTags
    }
  }
]

@description('ARM id of the subnet for the app.')
output appSubnetId string = '${network.id}/subnets/app'
