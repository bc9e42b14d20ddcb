import { tags, topicName } from 'types.bicep'

@description('Region.')
param location string

@description('Start of the alerts\' names.')
param prefix string

@description('The Application Insights component.')
param componentId string

@description('Where alerts go.')
param emails string[]

@description('The Event Grid topics whose dead letters are counted.')
param topics topicName[]

@description('Tags.')
param resourceTags tags

@description('What the app says in its log, or no longer says. Names of log events as in src/.')
var queries = [
  {
    name: 'rotation-overdue'
    severity: 1
    description: 'An account key is past its rotation, or a rotation does not move on. Runbook: rotation stuck.'
    query: 'traces | where message startswith "rotation_overdue" or message startswith "rotation_stuck"'
  }
  {
    name: 'rotation-silent'
    severity: 1
    description: 'The rotation timer has not run for half an hour. Runbook: rotation stuck.'
    query: 'requests | where name =~ "rotate" and success == true | summarize runs = count() | where runs == 0'
  }
  {
    name: 'drift'
    severity: 2
    description: 'A key was regenerated past the broker; the vault was healed. Ask who did it.'
    query: 'traces | where message startswith "rotation_drift"'
  }
  {
    name: 'revocation-slow'
    severity: 1
    description: 'A revocation took more than five seconds to be in force.'
    query: 'traces | where message startswith "revoked " | parse message with * "timeToEffectMs=" tookMs:long " " * | where tookMs > 5000'
  }
  {
    name: 'events-poison'
    severity: 2
    description: 'An event could not be understood; it is kept in the table events.'
    query: 'traces | where message startswith "event_poison"'
  }
  {
    name: 'server-errors'
    severity: 1
    description: 'Answers of 5xx: 500 is a bug, 503 an outage behind the broker.'
    query: 'requests | where toint(resultCode) >= 500'
  }
]

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
      scopes: [
        componentId
      ]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT30M'
      criteria: {
        allOf: [
          {
            query: alert.query
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
      autoMitigate: true
      actions: {
        actionGroups: [
          actionGroup.id
        ]
      }
    }
  }
]

// One rule a topic: Azure has no rule over several of them.
resource deadLetterAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for topic in topics: {
    name: '${prefix}-dead-letters-${topic.name}'
    location: 'global'
    tags: resourceTags
    properties: {
      description: 'An event was given up and lies in the container dead-letters.'
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
