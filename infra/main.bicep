// The whole deployment of one environment. `azd up` runs it; so does
// az deployment sub create -l <region> -f infra/main.bicep -p environmentName=dev location=<region> ...
targetScope = 'subscription'

@description('An entry of environments.json: dev, prod.')
@minLength(2)
@maxLength(12)
param environmentName string

@description('Region of the broker. The AI accounts may be elsewhere.')
param location string

@description('Client id of the broker\'s app registration (app-registration.sh makes it).')
@minLength(36)
@maxLength(36)
param brokerClientId string

@description('Object id of that registration\'s service principal.')
@minLength(36)
@maxLength(36)
param brokerPrincipalId string

@description('What differs between environments: the type environmentSettings, checked by npm run check.')
var settings = loadJsonContent('environments.json')[environmentName]

@description('On every resource.')
var resourceTags = {
  'azd-env-name': environmentName
  application: 'azure-ai-token-broker'
}

@description('Keeps names that are unique in the world apart, and the same from one deployment to the next.')
var unique = uniqueString(subscription().id, environmentName, location)

@description('Start of every name.')
var prefix = 'broker-${environmentName}'

@description('Names, known before anything is deployed.')
var names = {
  app: '${prefix}-${take(unique, 6)}'
  storage: take('brk${replace(environmentName, '-', '')}${unique}', 24)
  vault: take('brk-${environmentName}-${unique}', 24)
  component: '${prefix}-insights'
  topic: '${prefix}-${take(unique, 6)}'
  vaultTopic: '${prefix}-vault'
  activityTopic: settings.activityEvents ? '${prefix}-activity' : ''
  packages: 'app-package'
  deadLetters: 'dead-letters'
}

@description('GUIDs of the two custom roles.')
var customRoles = {
  rotator: guid(subscription().id, prefix, unique, 'rotator')
  data: guid(subscription().id, prefix, unique, 'data')
}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${prefix}'
  location: location
  tags: resourceTags
}

module roleDefinitions 'role-definitions.bicep' = {
  params: {
    suffix: '${environmentName} ${take(unique, 6)}'
    rotatorRoleName: customRoles.rotator
    dataRoleName: customRoles.data
    assignableScopes: union(
      [subscription().id],
      map(settings.accounts, account => '/subscriptions/${split(account.id, '/')[2]}')
    )
  }
}

module identities 'identities.bicep' = {
  scope: group
  params: {
    location: location
    issuerName: '${prefix}-issuer'
    rotatorName: '${prefix}-rotator'
    resourceTags: resourceTags
  }
}

module monitoring 'monitoring.bicep' = {
  scope: group
  params: {
    location: location
    workspaceName: '${prefix}-logs'
    componentName: names.component
    retentionDays: settings.logRetentionDays
    resourceTags: resourceTags
  }
}

module storage 'storage.bicep' = {
  scope: group
  params: {
    location: location
    storageName: names.storage
    packagesName: names.packages
    deadLettersName: names.deadLetters
    zoneRedundant: settings.zoneRedundant
    privateNetwork: settings.privateNetwork
    resourceTags: resourceTags
  }
}

module vault 'vault.bicep' = {
  scope: group
  params: {
    location: location
    vaultName: names.vault
    privateNetwork: settings.privateNetwork
    workspaceId: monitoring.outputs.workspaceId
    resourceTags: resourceTags
  }
}

module network 'network.bicep' = if (settings.privateNetwork) {
  scope: group
  dependsOn: [
    storage
    vault
  ]
  params: {
    location: location
    networkName: '${prefix}-network'
    storageName: names.storage
    vaultName: names.vault
    resourceTags: resourceTags
  }
}

module app 'app.bicep' = {
  scope: group
  params: {
    location: location
    appName: names.app
    settings: settings
    brokerClientId: brokerClientId
    issuerId: identities.outputs.issuerId
    issuerClientId: identities.outputs.issuerClientId
    rotatorId: identities.outputs.rotatorId
    rotatorClientId: identities.outputs.rotatorClientId
    packagesName: names.packages
    blobUrl: storage.outputs.blobUrl
    queueUrl: storage.outputs.queueUrl
    tableUrl: storage.outputs.tableUrl
    vaultUrl: vault.outputs.vaultUrl
    telemetryConnection: monitoring.outputs.connectionString
    subnetId: network.?outputs.appSubnetId ?? ''
    resourceTags: resourceTags
  }
}

module events 'events.bicep' = {
  scope: group
  dependsOn: [
    vault
  ]
  params: {
    location: location
    topicName: names.topic
    vaultTopicName: names.vaultTopic
    activityTopicName: names.activityTopic
    vaultName: names.vault
    resourceTags: resourceTags
  }
}

module roles 'roles.bicep' = {
  scope: group
  dependsOn: [
    roleDefinitions
  ]
  params: {
    principalIds: {
      issuer: identities.outputs.issuerPrincipalId
      rotator: identities.outputs.rotatorPrincipalId
      application: brokerPrincipalId
      systemAssigned: app.outputs.systemPrincipalId
      topic: events.outputs.topicPrincipalId
      vaultTopic: events.outputs.vaultTopicPrincipalId
      activityTopic: events.outputs.activityTopicPrincipalId
    }
    storageName: names.storage
    deadLettersName: names.deadLetters
    vaultName: names.vault
    componentName: names.component
    topicName: names.topic
    deadLetterWriters: settings.activityEvents ? ['topic', 'vaultTopic', 'activityTopic'] : ['topic', 'vaultTopic']
    eventPublishers: settings.eventPublishers
    accounts: settings.accounts
    rotatorRoleName: customRoles.rotator
    dataRoleName: customRoles.data
  }
}

module alerts 'alerts.bicep' = {
  scope: group
  dependsOn: [
    events
  ]
  params: {
    location: location
    prefix: prefix
    componentId: monitoring.outputs.componentId
    emails: settings.alertEmails
    topics: concat(
      [
        { type: 'Microsoft.EventGrid/topics', name: names.topic }
        { type: 'Microsoft.EventGrid/systemTopics', name: names.vaultTopic }
      ],
      settings.activityEvents ? [{ type: 'Microsoft.EventGrid/systemTopics', name: names.activityTopic }] : []
    )
    resourceTags: resourceTags
  }
}

// azd keeps these as environment variables; its hooks and the workflow read them.
@description('Resource group.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app.')
output BROKER_APP_NAME string = names.app

@description('Public URL.')
output BROKER_URL string = app.outputs.url

@description('Object id of the issuer identity: the subject that the app registration trusts.')
output BROKER_ISSUER_PRINCIPAL_ID string = identities.outputs.issuerPrincipalId

@description('Storage account.')
output BROKER_STORAGE_NAME string = names.storage

@description('Container of dead letters.')
output BROKER_DEAD_LETTERS_NAME string = names.deadLetters

@description('Topic of the broker\'s own events.')
output BROKER_TOPIC_NAME string = names.topic

@description('Where the broker\'s own events are published.')
output BROKER_TOPIC_URL string = events.outputs.topicUrl

@description('System topic of the vault.')
output BROKER_VAULT_TOPIC_NAME string = names.vaultTopic

@description('System topic of the subscription; empty where there is none.')
output BROKER_ACTIVITY_TOPIC_NAME string = names.activityTopic
