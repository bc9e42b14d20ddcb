// The subscription to the Activity Log. Its topic may be in another resource group: Azure allows one a subscription.
@description('Name of the system topic, in the resource group that this module is deployed to.')
param topicName string

@description('Name of the event subscription.')
param subscriptionName string

@description('ARM id of the storage account with the queue events and the dead letters.')
param storageId string

@description('Container in it.')
param deadLettersName string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

// Only what changes keys or an account. Listing keys makes an event too, and the rotator lists them often.
resource activityEvents 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: subscriptionName
  properties: {
    deliveryWithResourceIdentity: {
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
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: {
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
  }
}
