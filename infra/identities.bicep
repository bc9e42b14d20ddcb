import { appIdentity, tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the issuer identity.')
param issuerName string

@description('Name of the rotator identity.')
param rotatorName string

@description('Tags.')
param resourceTags tags

resource issuerIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: issuerName
  location: location
  tags: resourceTags
}

resource rotatorIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: rotatorName
  location: location
  tags: resourceTags
}

@description('The issuer identity.')
output issuer appIdentity = {
  id: issuerIdentity.id
  clientId: issuerIdentity.properties.clientId
  principalId: issuerIdentity.properties.principalId
}

@description('The rotator identity.')
output rotator appIdentity = {
  id: rotatorIdentity.id
  clientId: rotatorIdentity.properties.clientId
  principalId: rotatorIdentity.properties.principalId
}
