import { tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the private endpoint.')
param endpointName string

@description('Which service of the target: blob, queue, table or vault.')
param groupId string

@description('ARM id of what is reached.')
param targetId string

@description('ARM id of the private DNS zone of that service.')
param zoneId string

@description('ARM id of the subnet for private endpoints.')
param subnetId string

@description('Tags.')
param resourceTags tags

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
          privateDnsZoneId: zoneId
        }
      }
    ]
  }
}
