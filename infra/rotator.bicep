// The app that changes keys. Nobody can call it: its timers and queues start it.
import { appIdentity, cloudUrls, environmentSettings, hostStorage, sharedUrls, tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the function app.')
param appName string

@description('What differs between environments.')
param settings environmentSettings

@description('The rotator identity.')
param identity appIdentity

@description('Where the host finds its storage.')
param host hostStorage

@description('Tables, queues, blobs, vault, telemetry.')
param urls sharedUrls

@description('What differs between clouds.')
param cloud cloudUrls

@description('Subnet for outbound calls. Empty: none.')
param subnetId string

@description('Give the rotations back to the one app of before (README.md, Back to one app).')
param handBack bool

@description('Tags.')
param resourceTags tags

module app 'app.bicep' = {
  params: {
    location: location
    appName: appName
    service: 'rotator'
    identityId: identity.id
    carriedIds: [identity.id]
    hasOwnIdentity: false
    zoneRedundant: settings.zoneRedundant
    instances: {
      // The smallest bound that Flex Consumption takes. Timers run once; each queue works on one message at a time
      // and instance, and an account's lease keeps two instances apart.
      maximumInstances: 40
      instanceMemoryMB: 512
      httpConcurrency: 1
      alwaysReadyInstances: 0
    }
    host: host
    subnetId: subnetId
    callers: []
    otherCallers: 'Deny'
    resourceTags: resourceTags
  }
}

resource site 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

// One property for every setting of src/settings.ts, also those that have a default there. The site must be there
// first, which `existing` does not say.
resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'appsettings'
  dependsOn: [
    app
  ]
  properties: {
    AzureWebJobsStorage__blobServiceUri: host.blobUrl
    AzureWebJobsStorage__queueServiceUri: host.queueUrl
    AzureWebJobsStorage__tableServiceUri: host.tableUrl
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identity.clientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: urls.telemetry
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.clientId};Authorization=AAD'
    AzureWebJobsDisableHomepage: 'true'
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '32768'
    // The connection of the queue triggers.
    BROKER_QUEUES__queueServiceUri: urls.queues
    BROKER_QUEUES__credential: 'managedidentity'
    BROKER_QUEUES__clientId: identity.clientId
    BROKER_TENANT_ID: tenant().tenantId
    BROKER_POLICY: settings.policy
    BROKER_KEY_VAULT_URL: urls.vault
    BROKER_TABLES_URL: urls.tables
    BROKER_BLOBS_URL: urls.blobs
    BROKER_ROTATOR_IDENTITY: identity.clientId
    BROKER_ARM_URL: environment().resourceManager
    BROKER_ARM_SCOPE: '${environment().resourceManager}.default'
    BROKER_GRAPH_URL: cloud.graph
    BROKER_GRAPH_SCOPE: '${cloud.graph}/.default'
    BROKER_FRESHNESS_SECONDS: string(settings.freshnessSeconds)
    OTEL_EXPORTER_OTLP_ENDPOINT: settings.otlpEndpoint
    BROKER_TRACE_SHARE: '0.05'
    BROKER_ROTATION_SCHEDULE: '0 */5 * * * *'
    BROKER_AUDIT_DAYS: string(settings.auditDays)
    BROKER_HOLD_FROM: settings.auditHoldFrom
    BROKER_HAND_BACK: handBack ? 'true' : 'false'
  }
}
