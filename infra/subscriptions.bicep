// Where events go: what revokes to the function react of the issuer app, everything else into the queue of the
// rotator app, which nothing from outside reaches. Deployed after the code (azd: postdeploy hook), because Event Grid
// refuses a subscription whose function is not there yet. Deploying it again changes nothing.
@description('Name of this environment: the name of its subscription to a topic that others use too.')
param environmentName string

@description('Name of the issuer app.')
param issuerAppName string

@description('ARM id of the storage account with the queue events and the dead letters.')
param storageId string

@description('Container in it.')
param deadLettersName string

@description('Name of the topic for the broker\'s own events.')
param topicName string

@description('Name of the system topic of the vault.')
param vaultTopicName string

@description('ARM id of the system topic of the subscription. Empty: none.')
param activityTopicId string

@description('24 hours of attempts, then the dead-letter container, for which there is an alert.')
var retryPolicy = {
  maxDeliveryAttempts: 30
  eventTimeToLiveInMinutes: 1440
}

@description('The function that takes what revokes. One event a delivery: a batch would be answered, and repeated, as a whole.')
var function = {
  endpointType: 'AzureFunction'
  properties: {
    resourceId: '${issuerApp.id}/functions/react'
    maxEventsPerBatch: 1
    preferredBatchSizeInKilobytes: 64
  }
}

@description('The queue of the rotator app. A locked-down storage account admits the topic\'s own identity, as a trusted service.')
var queue = {
  identity: {
    type: 'SystemAssigned'
  }
  destination: {
    endpointType: 'StorageQueue'
    properties: {
      resourceId: storageId
      queueName: 'events'
    }
  }
}

@description('Where an event goes that was never accepted.')
var deadLetters = {
  identity: {
    type: 'SystemAssigned'
  }
  deadLetterDestination: {
    endpointType: 'StorageBlob'
    properties: {
      resourceId: storageId
      blobContainerName: deadLettersName
    }
  }
}

resource issuerApp 'Microsoft.Web/sites@2025-03-01' existing = {
  name: issuerAppName
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

resource vaultTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: vaultTopicName
}

resource revocations 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'issuer'
  properties: {
    destination: function
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: [
        'AzureAiTokenBroker.RevocationRequested'
      ]
    }
    retryPolicy: retryPolicy
    deadLetterWithResourceIdentity: deadLetters
  }
}

resource leaks 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'rotator'
  properties: {
    deliveryWithResourceIdentity: queue
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: [
        'AzureAiTokenBroker.KeyLeaked'
      ]
    }
    retryPolicy: retryPolicy
    deadLetterWithResourceIdentity: deadLetters
  }
}

resource vaultEvents 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: vaultTopic
  name: 'rotator'
  properties: {
    deliveryWithResourceIdentity: queue
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: [
        'Microsoft.KeyVault.SecretNewVersionCreated'
        'Microsoft.KeyVault.SecretNearExpiry'
        'Microsoft.KeyVault.SecretExpired'
      ]
    }
    retryPolicy: retryPolicy
    deadLetterWithResourceIdentity: deadLetters
  }
}

module activityEvents 'activity-subscription.bicep' = if (!empty(activityTopicId)) {
  scope: resourceGroup(split(activityTopicId, '/')[2], split(activityTopicId, '/')[4])
  params: {
    topicName: last(split(activityTopicId, '/'))
    subscriptionName: 'broker-${environmentName}'
    storageId: storageId
    deadLettersName: deadLettersName
  }
}
