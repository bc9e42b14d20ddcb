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

@description('Client id of the console\'s app registration (app-registration.sh makes it). Empty: no console.')
param consoleClientId string = ''

@description('ARM id of a system topic of the subscription that somebody made before (hooks.sh looks for it). Empty: this deployment makes one. none: there is one that cannot be used.')
param existingActivityTopicId string = ''

@description('Object id of that topic\'s identity.')
param existingActivityTopicPrincipalId string = ''

@description('Give the rotations back to the one app of before (README.md, Back to one app).')
param handBack bool = false

@description('Make the custom roles. The pipeline may not: whoever deployed pipeline.bicep made them.')
param makeCustomRoles bool = true

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

@description('The environment\'s name without hyphens, for storage accounts.')
var compact = replace(environmentName, '-', '')

@description('Names, known before anything is deployed. The storage account with the state keeps the name that it had with one app.')
var names = {
  issuerApp: '${prefix}-issuer-${take(unique, 6)}'
  rotatorApp: '${prefix}-rotator-${take(unique, 6)}'
  storage: take('brk${compact}${unique}', 24)
  issuerStorage: take('brki${compact}${unique}', 24)
  rotatorStorage: take('brkr${compact}${unique}', 24)
  vault: take('brk-${environmentName}-${unique}', 24)
  component: '${prefix}-insights'
  topic: '${prefix}-${take(unique, 6)}'
  vaultTopic: '${prefix}-vault'
  activityTopic: settings.activityEvents && empty(existingActivityTopicId) ? '${prefix}-activity' : ''
  packages: 'app-package'
  deadLetters: 'dead-letters'
}

@description('GUIDs of the custom roles.')
var roleNames = {
  rotator: guid(subscription().id, prefix, unique, 'rotator')
  currentSecret: guid(subscription().id, prefix, unique, 'currentSecret')
  appender: guid(subscription().id, prefix, unique, 'appender')
  writer: guid(subscription().id, prefix, unique, 'writer')
  keeper: guid(subscription().id, prefix, unique, 'keeper')
  settler: guid(subscription().id, prefix, unique, 'settler')
  sweeper: guid(subscription().id, prefix, unique, 'sweeper')
  proofAppender: guid(subscription().id, prefix, unique, 'proofAppender')
  queueWorker: guid(subscription().id, prefix, unique, 'queueWorker')
  data: guid(subscription().id, prefix, unique, 'data')
}

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

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${prefix}'
  location: location
  tags: resourceTags
}

module roleDefinitions 'role-definitions.bicep' = if (makeCustomRoles) {
  params: {
    suffix: '${environmentName} ${take(unique, 6)}'
    roleNames: roleNames
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
    // Not the names of the one app before: whoever runs code there has its identities, and their roles.
    issuerName: '${prefix}-issuer-app'
    rotatorName: '${prefix}-rotator-app'
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
    capGB: settings.logCapGB
    resourceTags: resourceTags
  }
}

module storage 'storage.bicep' = {
  scope: group
  params: {
    location: location
    storageName: names.storage
    deadLettersName: names.deadLetters
    proofDays: settings.proofDays
    proofLocked: settings.proofLocked
    zoneRedundant: settings.zoneRedundant
    privateNetwork: settings.privateNetwork
    resourceTags: resourceTags
  }
}

module issuerHost 'host-storage.bicep' = {
  scope: group
  params: {
    location: location
    storageName: names.issuerStorage
    packagesName: names.packages
    zoneRedundant: settings.zoneRedundant
    privateNetwork: settings.privateNetwork
    resourceTags: resourceTags
  }
}

module rotatorHost 'host-storage.bicep' = {
  scope: group
  params: {
    location: location
    storageName: names.rotatorStorage
    packagesName: names.packages
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
    issuerHost
    rotatorHost
    vault
  ]
  params: {
    location: location
    networkName: '${prefix}-network'
    storageName: names.storage
    issuerStorageName: names.issuerStorage
    rotatorStorageName: names.rotatorStorage
    vaultName: names.vault
    resourceTags: resourceTags
  }
}

// Before everything that is not needed for it, because a role takes minutes to work, and the first package is read
// with one.
module roles 'roles.bicep' = {
  scope: group
  dependsOn: [
    roleDefinitions
    storage
    issuerHost
    rotatorHost
    vault
    monitoring
  ]
  params: {
    // The holder is part of an assignment's name, so What-If cannot name these before it is known.
    #disable-next-line what-if-short-circuiting
    principalIds: {
      issuer: identities.outputs.issuer.principalId
      rotator: identities.outputs.rotator.principalId
    }
    storageName: names.storage
    issuerStorageName: names.issuerStorage
    rotatorStorageName: names.rotatorStorage
    vaultName: names.vault
    componentName: names.component
    accounts: settings.accounts
    roleNames: roleNames
  }
}

@description('What both apps work with.')
var urls = {
  blobs: storage.outputs.blobUrl
  tables: storage.outputs.tableUrl
  queues: storage.outputs.queueUrl
  vault: vault.outputs.vaultUrl
  telemetry: monitoring.outputs.connectionString
}

module issuer 'issuer.bicep' = {
  scope: group
  dependsOn: [
    roles
  ]
  params: {
    location: location
    appName: names.issuerApp
    settings: settings
    brokerClientId: brokerClientId
    consoleClientId: consoleClientId
    identity: identities.outputs.issuer
    host: issuerHost.outputs.host
    urls: urls
    cloud: clouds[environment().name]
    subnetId: network.?outputs.issuerSubnetId ?? ''
    resourceTags: resourceTags
  }
}

module rotator 'rotator.bicep' = {
  scope: group
  dependsOn: [
    roles
  ]
  params: {
    location: location
    appName: names.rotatorApp
    settings: settings
    identity: identities.outputs.rotator
    host: rotatorHost.outputs.host
    urls: urls
    cloud: clouds[environment().name]
    subnetId: network.?outputs.rotatorSubnetId ?? ''
    handBack: handBack
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

module eventRoles 'event-roles.bicep' = {
  scope: group
  dependsOn: [
    storage
  ]
  params: {
    storageName: names.storage
    deadLettersName: names.deadLetters
    topicName: names.topic
    topicPrincipalIds: concat(
      [events.outputs.topicPrincipalId, events.outputs.vaultTopicPrincipalId],
      empty(names.activityTopic) ? [] : [events.outputs.activityTopicPrincipalId],
      empty(existingActivityTopicPrincipalId) ? [] : [existingActivityTopicPrincipalId]
    )
    eventPublishers: settings.eventPublishers
  }
}

module grants 'grants.bicep' = {
  scope: group
  dependsOn: [
    roleDefinitions
  ]
  params: {
    applicationId: brokerPrincipalId
    #disable-next-line what-if-short-circuiting
    systemAssignedId: issuer.outputs.systemPrincipalId
    accounts: settings.accounts
    dataRoleName: roleNames.data
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
    workspaceId: monitoring.outputs.workspaceId
    emails: settings.alertEmails
    // The address of an app is known once Azure has made it.
    #disable-next-line what-if-short-circuiting
    healthUrl: empty(settings.frontDoorId) ? issuer.outputs.url : ''
    vaultReaders: [
      identities.outputs.issuer.clientId
      identities.outputs.rotator.clientId
    ]
    topics: concat(
      [
        { type: 'Microsoft.EventGrid/topics', name: names.topic }
        { type: 'Microsoft.EventGrid/systemTopics', name: names.vaultTopic }
      ],
      empty(names.activityTopic) ? [] : [{ type: 'Microsoft.EventGrid/systemTopics', name: names.activityTopic }]
    )
    resourceTags: resourceTags
  }
}

// azd keeps these as environment variables; its hooks and the workflow read them.
@description('Resource group.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the issuer app.')
output BROKER_ISSUER_APP_NAME string = names.issuerApp

@description('Name of the rotator app.')
output BROKER_ROTATOR_APP_NAME string = names.rotatorApp

@description('Public URL.')
output BROKER_URL string = issuer.outputs.url

@description('Object id of the issuer identity: the subject that the app registration trusts.')
output BROKER_ISSUER_PRINCIPAL_ID string = identities.outputs.issuer.principalId

@description('Object id of the rotator identity, which reads users again after an event.')
output BROKER_ROTATOR_PRINCIPAL_ID string = identities.outputs.rotator.principalId

@description('Whether the issuer identity may read users too: true or false.')
output BROKER_ISSUER_READS_DIRECTORY string = settings.issuerReadsDirectory ? 'true' : 'false'

@description('ARM ids of the storage accounts with the packages: deployments wait for the roles on them.')
output BROKER_PACKAGE_STORAGE_IDS string = '${issuerHost.outputs.storageId} ${rotatorHost.outputs.storageId}'

@description('Storage account with tables, queues and dead letters.')
output BROKER_STORAGE_ID string = storage.outputs.storageId

@description('Container of dead letters.')
output BROKER_DEAD_LETTERS_NAME string = names.deadLetters

@description('Topic of the broker\'s own events.')
output BROKER_TOPIC_NAME string = names.topic

@description('Where the broker\'s own events are published.')
output BROKER_TOPIC_URL string = events.outputs.topicUrl

@description('System topic of the vault.')
output BROKER_VAULT_TOPIC_NAME string = names.vaultTopic

@description('ARM id of the system topic of the subscription; empty where there is none.')
output BROKER_ACTIVITY_TOPIC_ID string = settings.activityEvents
  ? empty(existingActivityTopicId)
      ? events.outputs.activityTopicId
      : existingActivityTopicId == 'none' ? '' : existingActivityTopicId
  : ''
