// The topics. Their subscriptions are in subscriptions.bicep: Event Grid wants the function to be there first.
import { tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the topic for the broker\'s own events.')
param topicName string

@description('Name of the system topic of the vault.')
param vaultTopicName string

@description('Name of the system topic of the subscription to make. Empty: none, or there is one already.')
param activityTopicName string

@description('The vault whose events are followed.')
param vaultName string

@description('Tags.')
param resourceTags tags

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

// Revocations and leaked keys, told by other systems. No access keys: a publisher needs the role.
resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: topicName
  location: location
  tags: resourceTags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

resource vaultTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: vaultTopicName
  location: location
  tags: resourceTags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: vault.id
    topicType: 'Microsoft.KeyVault.vaults'
  }
}

resource activityTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (!empty(activityTopicName)) {
  name: empty(activityTopicName) ? 'none' : activityTopicName
  location: 'global'
  tags: resourceTags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: subscription().id
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}

@description('Object id of the topic\'s identity.')
output topicPrincipalId string = topic.identity.principalId

@description('Object id of the vault topic\'s identity.')
output vaultTopicPrincipalId string = vaultTopic.identity.principalId

@description('Object id of the subscription topic\'s identity; empty where there is none.')
output activityTopicPrincipalId string = activityTopic.?identity.?principalId ?? ''

@description('ARM id of the subscription topic; empty where there is none.')
output activityTopicId string = activityTopic.?id ?? ''

@description('Where the broker\'s own events are published.')
output topicUrl string = topic.properties.endpoint
