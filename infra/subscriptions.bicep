// What reaches the function react. Deployed after the code (azd: postdeploy hook), because Event Grid refuses
// a subscription whose function is not there yet. Deploying it again changes nothing.
@description('Name of the function app.')
param appName string

@description('Name of the storage account for events that could not be delivered.')
param storageName string

@description('Container in it.')
param deadLettersName string

@description('Name of the topic for the broker\'s own events.')
param topicName string

@description('Name of the system topic of the vault.')
param vaultTopicName string

@description('Name of the system topic of the subscription. Empty: none.')
param activityTopicName string

@description('24 hours of attempts, then the dead-letter container, for which there is an alert.')
var retryPolicy = {
  maxDeliveryAttempts: 30
  eventTimeToLiveInMinutes: 1440
}

@description('The function that takes every event. One event a delivery: a batch would be answered, and repeated, as a whole.')
var destination = {
  endpointType: 'AzureFunction'
  properties: {
    resourceId: '${app.id}/functions/react'
    maxEventsPerBatch: 1
    preferredBatchSizeInKilobytes: 64
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
      resourceId: storage.id
      blobContainerName: deadLettersName
    }
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

resource vaultTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: vaultTopicName
}

resource ownEvents 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'react'
  properties: {
    destination: destination
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: [
        'AzureAiTokenBroker.RevocationRequested'
        'AzureAiTokenBroker.KeyLeaked'
      ]
    }
    retryPolicy: retryPolicy
    deadLetterWithResourceIdentity: deadLetters
  }
}

resource vaultEvents 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: vaultTopic
  name: 'react'
  properties: {
    destination: destination
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

// Named as parent/child, because a parent that may be absent cannot be looked up.
// Only what changes keys or an account. Listing keys makes an event too, and the rotator lists them often.
resource activityEvents 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = if (!empty(activityTopicName)) {
  name: '${empty(activityTopicName) ? 'none' : activityTopicName}/react'
  properties: {
    destination: destination
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: [
        'Microsoft.Resources.ResourceActionSuccess'
        'Microsoft.Resources.ResourceWriteSuccess'
        'Microsoft.Resources.ResourceDeleteSuccess'
      ]
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: [
            'Microsoft.CognitiveServices/accounts/regenerateKey/action'
            'Microsoft.CognitiveServices/accounts/write'
            'Microsoft.CognitiveServices/accounts/delete'
          ]
        }
      ]
    }
    retryPolicy: retryPolicy
    deadLetterWithResourceIdentity: deadLetters
  }
}
