@description('One role assignment on an AI account: to whom the tokens that the broker hands out belong.')
@export()
type accountGrant = {
  @description('speech: Cognitive Services Speech User. openai: Cognitive Services OpenAI User. data: the custom role, for every other kind.')
  role: 'speech' | 'openai' | 'data'

  @description('application: the broker\'s app registration. systemAssigned: the app\'s own identity. userAssigned: one of identities. group: the people for whom the broker acts on behalf.')
  to: 'application' | 'systemAssigned' | 'userAssigned' | 'group'

  @description('Object id of the identity or group; for userAssigned and group only.')
  principalId: string?
}

@description('An Azure AI account that the policy names, in any resource group or subscription of the tenant.')
@export()
type aiAccount = {
  @description('ARM id of the account.')
  id: string

  @description('True: the broker keeps its keys, so the rotator may list and regenerate them.')
  rotated: bool

  @description('Who may use it with Entra tokens.')
  grants: accountGrant[]
}

@description('A user-assigned identity that the policy names and the app carries beside its own two.')
@export()
type carriedIdentity = {
  @description('ARM id.')
  id: string

  @description('Client id, as the policy names it.')
  clientId: string

  @description('Object id, as role assignments name it.')
  principalId: string
}

@description('What differs from one environment to the next: one entry of environments.json.')
@export()
type environmentSettings = {
  @description('The file of this folder that is deployed as the policy.')
  policy: string

  @description('Spread the app and its storage over availability zones.')
  zoneRedundant: bool

  @description('Reach storage and vault through private endpoints only.')
  privateNetwork: bool

  @description('Instances of the HTTP functions that are never stopped. 0: pay per use only.')
  @minValue(0)
  alwaysReadyInstances: int

  @description('Upper bound of instances.')
  @minValue(40)
  @maxValue(1000)
  maximumInstances: int

  @description('Memory of one instance.')
  instanceMemoryMB: 512 | 2048 | 4096

  @description('How stale a revocation check may be, in seconds.')
  @minValue(0)
  @maxValue(30)
  freshnessSeconds: int

  @description('Days that logs are kept.')
  @minValue(30)
  @maxValue(730)
  logRetentionDays: int

  @description('Listen to the subscription\'s Activity Log. Azure allows one such topic for each subscription.')
  activityEvents: bool

  @description('The public URL when it is not the app\'s own, for example behind a custom domain. Empty: the app\'s own.')
  publicUrl: string

  @description('Id of the Front Door profile that alone may call, beside Event Grid. Empty: anybody may.')
  frontDoorId: string

  @description('Origins of browser apps that may call.')
  corsOrigins: string[]

  @description('Where alerts go.')
  alertEmails: string[]

  @description('Object ids of the service principals that may publish to the broker\'s own topic.')
  eventPublishers: string[]

  @description('User-assigned identities that the policy names.')
  identities: carriedIdentity[]

  @description('The AI accounts and who may use them.')
  accounts: aiAccount[]
}

@description('Object ids of those who get roles.')
@export()
type principals = {
  @description('The issuer identity: host storage, tables, secrets, telemetry.')
  issuer: string

  @description('The rotator identity: keys and secrets.')
  rotator: string

  @description('The service principal of the broker\'s app registration.')
  application: string

  @description('The app\'s own identity.')
  systemAssigned: string

  @description('The topic of the broker\'s own events.')
  topic: string

  @description('The system topic of the vault.')
  vaultTopic: string

  @description('The system topic of the subscription; empty where there is none.')
  activityTopic: string
}

@description('An Event Grid topic of the deployment\'s resource group.')
@export()
type topicName = {
  @description('Resource type.')
  type: 'Microsoft.EventGrid/topics' | 'Microsoft.EventGrid/systemTopics'

  @description('Name.')
  name: string
}

@description('Tags on every resource.')
@export()
type tags = {
  @description('Any tag.')
  *: string
}
