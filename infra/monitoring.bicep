import { tags } from 'types.bicep'

@description('Region.')
param location string

@description('Name of the Log Analytics workspace.')
param workspaceName string

@description('Name of the Application Insights component.')
param componentName string

@description('Days that logs are kept.')
param retentionDays int

@description('Gigabytes a day, after which no more is taken until the next day.')
param capGB int

@description('Tags.')
param resourceTags tags

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  tags: resourceTags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    // A flood of requests is refused, and each refusal logged: this bounds what that costs.
    workspaceCapping: {
      dailyQuotaGb: capGB
    }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: resourceTags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    // Telemetry is accepted from an Entra identity with the role, not from whoever knows the key.
    DisableLocalAuth: true
  }
}

// The name is a GUID by Azure's rule, and the same in each deployment, so that there is one workbook.
resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(component.id, 'workbook')
  location: location
  tags: resourceTags
  kind: 'shared'
  properties: {
    displayName: '${componentName}: the token broker'
    category: 'workbook'
    sourceId: component.id
    version: 'Notebook/1.0'
    serializedData: replace(loadTextContent('workbook.json'), 'COMPONENT', component.id)
  }
}

@description('ARM id of the workspace.')
output workspaceId string = workspace.id

@description('ARM id of the component.')
output componentId string = component.id

@description('Where telemetry is sent. Not a credential: the component takes Entra tokens only.')
output connectionString string = component.properties.ConnectionString
