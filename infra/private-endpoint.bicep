import { tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the private endpoint.')
param endpointName string

@description('Which service of the target: blob, table or vault.')
param groupId string

@description('ARM id of what is reached.')
param targetId string

@description('Private DNS zone of that service.')
param zoneName string

@description('ARM id of the virtual network.')
param networkId string

@description('ARM id of the subnet for private endpoints.')
param subnetId string

@description('Tags.')
param resourceTags tags

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: zoneName
  location: 'global'
  tags: resourceTags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: endpointName
  location: 'global'
  tags: resourceTags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: networkId
    }
  }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: endpointName
  location: location
  tags: resourceTags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: endpointName
        properties: {
          privateLinkServiceId: targetId
          groupIds: [
            groupId
          ]
        }
      }
    ]
  }
}

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: groupId
        properties: {
          privateDnsZoneId: zone.id
        }
      }
    ]
  }
}
