import { environmentSettings, tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the function app, and of its plan.')
param appName string

@description('What differs between environments.')
param settings environmentSettings

@description('Client id of the broker\'s app registration.')
param brokerClientId string

@description('ARM id of the issuer identity.')
param issuerId string

@description('Client id of the issuer identity.')
param issuerClientId string

@description('ARM id of the rotator identity.')
param rotatorId string

@description('Client id of the rotator identity.')
param rotatorClientId string

@description('Name of the container that holds the deployed package.')
param packagesName string

@description('URL of the blob service.')
param blobUrl string

@description('URL of the queue service.')
param queueUrl string

@description('URL of the table service.')
param tableUrl string

@description('URL of the vault.')
param vaultUrl string

@description('Where telemetry is sent.')
param telemetryConnection string

@description('Subnet for outbound calls. Empty: none.')
param subnetId string

@description('Tags.')
param resourceTags tags

@description('What environment() does not tell of a cloud, or tells by an old name: the authority of China.')
var clouds = {
  AzureCloud: {
    authority: environment().authentication.loginEndpoint
    graph: 'https://graph.microsoft.com'
    federation: 'api://AzureADTokenExchange/.default'
  }
  AzureUSGovernment: {
    authority: environment().authentication.loginEndpoint
    graph: 'https://graph.microsoft.us'
    federation: 'api://AzureADTokenExchangeUSGov/.default'
  }
  AzureChinaCloud: {
    authority: 'https://login.partner.microsoftonline.cn'
    graph: 'https://microsoftgraph.chinacloudapi.cn'
    federation: 'api://AzureADTokenExchangeChina/.default'
  }
}

@description('The cloud that is deployed to.')
var cloud = clouds[environment().name]

@description('The app carries its own two identities and those that the policy names.')
var carriedIds = union([issuerId, rotatorId], map(settings.identities, identity => identity.id))

@description('Who may call when the app is behind Front Door.')
var behindFrontDoor = [
  {
    name: 'front-door'
    priority: 100
    action: 'Allow'
    tag: 'ServiceTag'
    ipAddress: 'AzureFrontDoor.Backend'
    headers: {
      'x-azure-fdid': [
        settings.frontDoorId
      ]
    }
  }
  {
    name: 'event-grid'
    priority: 110
    action: 'Allow'
    tag: 'ServiceTag'
    ipAddress: 'AzureEventGrid'
  }
]

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
    zoneRedundant: settings.zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: appName
  location: location
  // azd finds the app by this tag.
  tags: union(resourceTags, { 'azd-service-name': 'broker' })
  kind: 'functionapp,linux'
  identity: {
    type: 'SystemAssigned, UserAssigned'
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
      // Behind Front Door only its own profile and Event Grid come through; the platform compares the header, before
      // the host reads anything.
      ipSecurityRestrictionsDefaultAction: empty(settings.frontDoorId) ? 'Allow' : 'Deny'
      ipSecurityRestrictions: empty(settings.frontDoorId) ? [] : behindFrontDoor
      scmIpSecurityRestrictionsUseMain: false
    }
    // Nobody calls /admin over the network, the master key or not. A property that the types do not have yet.
    #disable-next-line BCP037
    functionsRuntimeAdminIsolationEnabled: true
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobUrl}${packagesName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: issuerId
          }
        }
      }
      runtime: {
        name: 'node'
        version: '24'
      }
      scaleAndConcurrency: {
        maximumInstanceCount: settings.maximumInstances
        instanceMemoryMB: settings.instanceMemoryMB
        triggers: {
          http: {
            // An exchange waits for its tables and costs 1.4 ms of processor, so an instance has room for more than
            // the initial 16, with which 17 slow clients would start another. At most 100 bodies of 32 KB.
            perInstanceConcurrency: 100
          }
        }
        alwaysReady: settings.alwaysReadyInstances == 0
          ? []
          : [
              {
                name: 'http'
                instanceCount: settings.alwaysReadyInstances
              }
            ]
      }
    }
  }
}

// One property for every setting of src/config.ts, also those that have a default there.
resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: {
    AzureWebJobsStorage__blobServiceUri: blobUrl
    AzureWebJobsStorage__queueServiceUri: queueUrl
    AzureWebJobsStorage__tableServiceUri: tableUrl
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: issuerClientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: telemetryConnection
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${issuerClientId};Authorization=AAD'
    // Else the host answers GET / with a page of its own.
    AzureWebJobsDisableHomepage: 'true'
    // Bytes. The host reads a body whole before our code is asked; src/body-limits.ts derives the number.
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '32768'
    BROKER_ISSUER: empty(settings.publicUrl) ? 'https://${app.properties.defaultHostName}' : settings.publicUrl
    BROKER_TENANT_ID: tenant().tenantId
    BROKER_CLIENT_ID: brokerClientId
    BROKER_AUDIENCE_URIS: 'api://${brokerClientId}'
    BROKER_ACCEPT_V1: 'false'
    BROKER_CORS_ORIGINS: join(settings.corsOrigins, ' ')
    BROKER_POLICY: 'policy.json'
    BROKER_KEY_VAULT_URL: vaultUrl
    BROKER_TABLES_URL: tableUrl
    BROKER_ISSUER_IDENTITY: issuerClientId
    BROKER_ROTATOR_IDENTITY: rotatorClientId
    BROKER_AUTHORITY: cloud.authority
    BROKER_ARM_URL: environment().resourceManager
    BROKER_ARM_SCOPE: '${environment().resourceManager}.default'
    BROKER_GRAPH_URL: cloud.graph
    BROKER_GRAPH_SCOPE: '${cloud.graph}/.default'
    BROKER_FEDERATION_SCOPE: cloud.federation
    BROKER_FRESHNESS_SECONDS: string(settings.freshnessSeconds)
    BROKER_MINIMUM_LIFE_SECONDS: '60'
    BROKER_ROTATION_SCHEDULE: '0 */5 * * * *'
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

@description('Object id of the app\'s own identity.')
output systemPrincipalId string = app.identity.principalId

@description('The public URL.')
output url string = empty(settings.publicUrl) ? 'https://${app.properties.defaultHostName}' : settings.publicUrl
