// What the topics may do, each with an identity of its own, and who may publish.
@description('Storage account with the queue and the dead letters.')
param storageName string

@description('Container for events that could not be delivered.')
param deadLettersName string

@description('The topic of the broker\'s own events.')
param topicName string

@description('Object ids of the topics\' identities: they deliver to the queue events, and dead-letter.')
param topicPrincipalIds string[]

@description('Object ids of service principals that may publish to the broker\'s own topic.')
param eventPublishers string[]

@description('Built-in roles.')
var builtIn = {
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageQueueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
  eventGridDataSender: 'd5a91429-5739-47e2-a06b-3470a27159e7'
}

@description('Resource type of a role.')
var roleType = 'Microsoft.Authorization/roleDefinitions'

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' existing = {
  parent: storage
  name: 'default'
}

resource events 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = {
  parent: queueService
  name: 'events'
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: storage
  name: 'default'
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: blobs
  name: deadLettersName
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

resource delivery 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in topicPrincipalIds: {
    scope: events
    name: guid(events.id, principalId, builtIn.storageQueueDataMessageSender)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, builtIn.storageQueueDataMessageSender)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource deadLetterWriting 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in topicPrincipalIds: {
    scope: deadLetters
    name: guid(deadLetters.id, principalId, builtIn.storageBlobDataContributor)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, builtIn.storageBlobDataContributor)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource publishers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for publisher in eventPublishers: {
    scope: topic
    name: guid(topic.id, publisher, builtIn.eventGridDataSender)
    properties: {
      roleDefinitionId: subscriptionResourceId(roleType, builtIn.eventGridDataSender)
      principalId: publisher
      principalType: 'ServicePrincipal'
    }
  }
]
