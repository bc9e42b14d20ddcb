import { tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the issuer identity.')
param issuerName string

@description('Name of the rotator identity.')
param rotatorName string

@description('Tags.')
param resourceTags tags

resource issuer 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: issuerName
  location: location
  tags: resourceTags
}

resource rotator 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: rotatorName
  location: location
  tags: resourceTags
}

@description('ARM id of the issuer identity.')
output issuerId string = issuer.id

@description('Client id of the issuer identity.')
output issuerClientId string = issuer.properties.clientId

@description('Object id of the issuer identity.')
output issuerPrincipalId string = issuer.properties.principalId

@description('ARM id of the rotator identity.')
output rotatorId string = rotator.id

@description('Client id of the rotator identity.')
output rotatorClientId string = rotator.properties.clientId

@description('Object id of the rotator identity.')
output rotatorPrincipalId string = rotator.properties.principalId
