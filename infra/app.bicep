// What the two apps have in common: a plan of its own (Flex Consumption takes one app a plan), the site, no passwords.
import { caller, hostStorage, scale, tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the function app, and of its plan.')
param appName string

@description('The service of azure.yaml that is deployed to this app. azd finds the app by this tag.')
param service 'issuer' | 'rotator'

@description('ARM id of the identity that reads the package.')
param identityId string

@description('ARM ids of all identities that the app carries.')
param carriedIds string[]

@description('Give the app an identity of its own beside those.')
param hasOwnIdentity bool

@description('Spread the app over availability zones.')
param zoneRedundant bool

@description('How many instances, and how large.')
param instances scale

@description('Where the host finds its storage.')
param host hostStorage

@description('Subnet for outbound calls. Empty: none.')
param subnetId string

@description('Who may call where it is not everybody.')
param callers caller[]

@description('What becomes of everybody else.')
param otherCallers 'Allow' | 'Deny'

@description('Tags.')
param resourceTags tags

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: appName
  location: location
  tags: resourceTags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: appName
  location: location
  tags: union(resourceTags, { 'azd-service-name': service })
  kind: 'functionapp,linux'
  identity: {
    type: hasOwnIdentity ? 'SystemAssigned, UserAssigned' : 'UserAssigned'
    userAssignedIdentities: toObject(carriedIds, id => id, id => {})
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      cors: {
        // The functions answer themselves (BROKER_CORS_ORIGINS); a list here would win over them, on every route.
        allowedOrigins: []
        supportCredentials: false
      }
      ipSecurityRestrictionsDefaultAction: otherCallers
      ipSecurityRestrictions: callers
      // A deployment comes in here, with an Entra token; whoever may call the app is no matter of this site.
      scmIpSecurityRestrictionsUseMain: false
    }
    // Nobody calls /admin over the network, the master key or not. A property that the types do not have yet.
    #disable-next-line BCP037
    functionsRuntimeAdminIsolationEnabled: true
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: host.packagesUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      // Else executions in progress are ended by every deployment. A preview, which the types do not have yet.
      #disable-next-line BCP037
      siteUpdateStrategy: {
        type: 'RollingUpdate'
      }
      runtime: {
        name: 'node'
        version: '24'
      }
      scaleAndConcurrency: {
        maximumInstanceCount: instances.maximumInstances
        instanceMemoryMB: instances.instanceMemoryMB
        triggers: {
          http: {
            perInstanceConcurrency: instances.httpConcurrency
          }
        }
        alwaysReady: instances.alwaysReadyInstances == 0
          ? []
          : [
              {
                name: 'http'
                instanceCount: instances.alwaysReadyInstances
              }
            ]
      }
    }
  }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

@description('Object id of the app\'s own identity; empty where it has none.')
output systemPrincipalId string = app.identity.?principalId ?? ''

@description('The app\'s own URL.')
output url string = 'https://${app.properties.defaultHostName}'
