// The app that anybody can call. It reads the current keys and writes what exchanges and revocations need; it can
// neither list, regenerate nor write a key, nor change the audit, nor replace the other app.
import { appIdentity, cloudUrls, environmentSettings, hostStorage, sharedUrls, tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the function app.')
param appName string

@description('What differs between environments.')
param settings environmentSettings

@description('Client id of the broker\'s app registration.')
param brokerClientId string

@description('Client id of the console\'s app registration. Empty: no console.')
param consoleClientId string

@description('The issuer identity.')
param identity appIdentity

@description('Where the host finds its storage.')
param host hostStorage

@description('Tables, queues, blobs, vault, telemetry.')
param urls sharedUrls

@description('What differs between clouds.')
param cloud cloudUrls

@description('Subnet for outbound calls. Empty: none.')
param subnetId string

@description('Tags.')
param resourceTags tags

@description('Who may call when the app is behind Front Door: its own profile and Event Grid. The platform compares the header, before the host reads anything.')
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

module app 'app.bicep' = {
  params: {
    location: location
    appName: appName
    service: 'issuer'
    identityId: identity.id
    // Its own, and those that the policy names.
    carriedIds: union([identity.id], map(settings.identities, carried => carried.id))
    hasOwnIdentity: true
    zoneRedundant: settings.zoneRedundant
    instances: {
      maximumInstances: settings.maximumInstances
      instanceMemoryMB: settings.instanceMemoryMB
      // An exchange waits for its tables and costs 1.4 ms of processor, so an instance has room for more than the
      // initial 16, with which 17 slow clients would start another. At most 100 bodies of 32 KB.
      httpConcurrency: 100
      alwaysReadyInstances: settings.alwaysReadyInstances
    }
    host: host
    subnetId: subnetId
    callers: empty(settings.frontDoorId) ? [] : behindFrontDoor
    otherCallers: empty(settings.frontDoorId) ? 'Allow' : 'Deny'
    resourceTags: resourceTags
  }
}

@description('The public URL.')
var publicUrl = empty(settings.publicUrl) ? app.outputs.url : settings.publicUrl

resource site 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

// One property for every setting of src/settings.ts, also those that have a default there.
resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'appsettings'
  properties: {
    AzureWebJobsStorage__blobServiceUri: host.blobUrl
    AzureWebJobsStorage__queueServiceUri: host.queueUrl
    AzureWebJobsStorage__tableServiceUri: host.tableUrl
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identity.clientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: urls.telemetry
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.clientId};Authorization=AAD'
    // Else the host answers GET / with a page of its own.
    AzureWebJobsDisableHomepage: 'true'
    // Bytes. The host reads a body whole before our code is asked; src/body-limits.ts derives the number.
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '32768'
    BROKER_ISSUER: publicUrl
    BROKER_TENANT_ID: tenant().tenantId
    BROKER_CLIENT_ID: brokerClientId
    BROKER_AUDIENCE_URIS: 'api://${brokerClientId}'
    BROKER_ACCEPT_V1: 'false'
    BROKER_CORS_ORIGINS: join(settings.corsOrigins, ' ')
    BROKER_POLICY: settings.policy
    BROKER_KEY_VAULT_URL: urls.vault
    BROKER_TABLES_URL: urls.tables
    BROKER_BLOBS_URL: urls.blobs
    BROKER_QUEUES_URL: urls.queues
    BROKER_ISSUER_IDENTITY: identity.clientId
    BROKER_AUTHORITY: cloud.authority
    BROKER_CONSOLE_CLIENT_ID: consoleClientId
    BROKER_CONSOLE_AUTHORITY: cloud.authority
    BROKER_CONSOLE_FILES: 'console'
    BROKER_GRAPH_URL: cloud.graph
    BROKER_GRAPH_SCOPE: '${cloud.graph}/.default'
    BROKER_FEDERATION_SCOPE: cloud.federation
    BROKER_FRESHNESS_SECONDS: string(settings.freshnessSeconds)
    OTEL_EXPORTER_OTLP_ENDPOINT: settings.otlpEndpoint
    BROKER_TRACE_SHARE: '0.05'
    BROKER_MINIMUM_LIFE_SECONDS: '60'
  }
}

@description('Object id of the app\'s own identity.')
output systemPrincipalId string = app.outputs.systemPrincipalId

@description('The public URL.')
output url string = publicUrl
