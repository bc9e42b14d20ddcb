import { tags, topicName } from 'types.bicep'

@description('Region.')
param location string

@description('Start of the alerts\' names.')
param prefix string

@description('The Application Insights component.')
param componentId string

@description('The Log Analytics workspace.')
param workspaceId string

@description('Where alerts go.')
param emails string[]

@description('The Event Grid topics whose dead letters are counted.')
param topics topicName[]

@description('Tags.')
param resourceTags tags

@description('URL of the broker, whose /health is asked from outside; empty where only Front Door may call the app.')
param healthUrl string

@description('Client ids of the identities that may read secrets of the vault.')
param vaultReaders string[]

@description('Over the log of the apps (`component`) or over all that Azure logs (`workspace`). Names of log events as in src/.')
var queries = loadJsonContent('alerts.json')
@description('As a list of KQL.')
var readers = join(map(vaultReaders, id => '"${id}"'), ', ')

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: prefix
  location: 'global'
  tags: resourceTags
  properties: {
    groupShortName: 'tokenbroker'
    enabled: true
    emailReceivers: [
      for email in emails: {
        name: email
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

// The version that Azure Monitor documents; its successor is months old.
#disable-next-line use-recent-api-versions
resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in queries: {
    name: '${prefix}-${alert.name}'
    location: location
    tags: resourceTags
    kind: 'LogAlert'
    properties: {
      displayName: '${prefix} ${alert.name}'
      description: alert.description
      severity: alert.severity
      enabled: true
      // Once the daily cap is reached no log of ours or of the vault is taken until the next day; what Azure says of the
      // workspace itself is.
      scopes: [
        alert.source == 'workspace' ? workspaceId : componentId
      ]
      evaluationFrequency: 'PT5M'
      windowSize: alert.window
      // A table of Azure's own is there once its first row is.
      skipQueryValidation: alert.source == 'workspace'
      criteria: {
        allOf: [
          {
            query: replace(alert.query, 'READERS', readers)
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      // What has happened, such as a foreign read, is not over because its row has left the window: it is told of once,
      // and somebody closes it. What lasts is taken back when it is over.
      autoMitigate: alert.resolves
      muteActionsDuration: alert.resolves ? null : alert.window
      actions: {
        actionGroups: [
          actionGroup.id
        ]
      }
    }
  }
]

// The version that Azure Monitor documents; its successor is months old.
#disable-next-line use-recent-api-versions
resource healthTest 'Microsoft.Insights/webtests@2022-06-15' = if (!empty(healthUrl)) {
  name: '${prefix}-health'
  location: location
  // Without this tag the portal does not show the test beside the component.
  tags: union(resourceTags, { 'hidden-link:${componentId}': 'Resource' })
  kind: 'standard'
  properties: {
    Name: '${prefix}-health'
    SyntheticMonitorId: '${prefix}-health'
    Enabled: true
    Kind: 'standard'
    Frequency: 300
    Timeout: 30
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'us-va-ash-azr' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: {
      RequestUrl: '${healthUrl}/health'
      HttpVerb: 'GET'
      ParseDependentRequests: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
    }
  }
}

// The version that Azure Monitor documents; its successor is months old.
#disable-next-line use-recent-api-versions
resource healthAlert 'Microsoft.Insights/metricAlerts@2018-03-01' = if (!empty(healthUrl)) {
  name: '${prefix}-health'
  location: 'global'
  tags: resourceTags
  properties: {
    description: 'The broker does not answer, or says that it cannot serve, from two places of three. Runbook: The other alerts.'
    severity: 1
    enabled: true
    scopes: [
      healthTest.id
      componentId
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: healthTest.id
      componentId: componentId
      failedLocationCount: 2
    }
    autoMitigate: true
    actions: [
      {
        actionGroupId: actionGroup.id
      }
    ]
  }
}

// One rule a topic: Azure has no rule over several of them.
// The version that Azure Monitor documents; its successor is months old.
#disable-next-line use-recent-api-versions
resource deadLetterAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for topic in topics: {
    name: '${prefix}-dead-letters-${topic.name}'
    location: 'global'
    tags: resourceTags
    properties: {
      description: 'An event was given up and lies in the container dead-letters. Runbook: Events given up.'
      severity: 2
      enabled: true
      scopes: [
        resourceId(topic.type, topic.name)
      ]
      evaluationFrequency: 'PT15M'
      windowSize: 'PT15M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: 'dead-letters'
            criterionType: 'StaticThresholdCriterion'
            metricName: 'DeadLetteredCount'
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: 0
          }
        ]
      }
      autoMitigate: true
      actions: [
        {
          actionGroupId: actionGroup.id
        }
      ]
    }
  }
]
