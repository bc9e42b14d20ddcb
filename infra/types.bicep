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

@description('A user-assigned identity that the policy names and the issuer app carries beside its own.')
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
  @description('The file of this folder with the policy that an empty broker starts with.')
  policy: string

  @description('Spread the apps and their storage over availability zones.')
  zoneRedundant: bool

  @description('Reach storage and vault through private endpoints only.')
  privateNetwork: bool

  @description('Instances of the HTTP functions that are never stopped. 0: pay per use only.')
  @minValue(0)
  alwaysReadyInstances: int

  @description('Upper bound of instances of the issuer app.')
  @minValue(40)
  @maxValue(1000)
  maximumInstances: int

  @description('Memory of one instance of the issuer app. 512 is not among them: 100 requests at once need more.')
  instanceMemoryMB: 2048 | 4096

  @description('How stale a revocation check may be, in seconds.')
  @minValue(0)
  @maxValue(30)
  freshnessSeconds: int

  @description('The OpenTelemetry collector (OTLP over HTTP) that gets traces and metrics. Empty: none are made.')
  otlpEndpoint: string

  @description('Days that logs are kept.')
  @minValue(30)
  @maxValue(730)
  logRetentionDays: int

  @description('Days that the audit\'s rows are kept. The roll-ups by the day stay.')
  @minValue(2)
  @maxValue(36500)
  auditDays: int

  @description('A legal hold: nothing recorded from this instant on is removed (2026-11-26T00:00:00Z). Empty: none.')
  auditHoldFrom: string

  @description('Days for which nothing of the audit\'s proof can be changed or removed; at least auditDays.')
  @minValue(2)
  @maxValue(146000)
  proofDays: int

  @description('Somebody has locked the proof\'s policy (README.md), which Azure does for good.')
  proofLocked: bool

  @description('Gigabytes of logs a day, after which Azure takes no more until the next day; an alert says so.')
  @minValue(1)
  logCapGB: int

  @description('Listen to the subscription\'s Activity Log. Azure allows one such topic for each subscription: an existing one is used.')
  activityEvents: bool

  @description('The policy has transmitters that name users by e-mail address, so the issuer app may read the directory.')
  issuerReadsDirectory: bool

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

@description('Object ids of the two apps\' identities.')
@export()
type appPrincipals = {
  @description('The issuer identity: reads the current keys, answers callers.')
  issuer: string

  @description('The rotator identity: changes keys.')
  rotator: string
}

@description('A user-assigned identity.')
@export()
type appIdentity = {
  @description('ARM id.')
  id: string

  @description('Client id.')
  clientId: string

  @description('Object id.')
  principalId: string
}

@description('Where an app\'s host finds its storage.')
@export()
type hostStorage = {
  @description('URL of the container with the deployed package.')
  packagesUrl: string

  @description('URL of the blob service.')
  blobUrl: string

  @description('URL of the queue service.')
  queueUrl: string

  @description('URL of the table service.')
  tableUrl: string
}

@description('URLs of what both apps work with.')
@export()
type sharedUrls = {
  @description('URL of the blob service.')
  blobs: string

  @description('URL of the table service.')
  tables: string

  @description('URL of the queue service.')
  queues: string

  @description('URL of the vault.')
  vault: string

  @description('Where telemetry is sent.')
  telemetry: string
}

@description('What the cloud calls its services, where environment() does not tell.')
@export()
type cloudUrls = {
  @description('Who issues tokens.')
  authority: string

  @description('Microsoft Graph.')
  graph: string

  @description('Scope of the token that stands in for a client secret.')
  federation: string
}

@description('Who may call an app that is not open to everybody.')
@export()
type caller = {
  @description('Name of the rule.')
  name: string

  @description('The smaller comes first.')
  priority: int

  @description('What becomes of the call.')
  action: 'Allow'

  @description('What ipAddress is.')
  tag: 'ServiceTag'

  @description('Where the call comes from.')
  ipAddress: string

  @description('Headers that the call must have.')
  headers: {
    @description('One of these values.')
    *: string[]
  }?
}

@description('How many instances, and how large.')
@export()
type scale = {
  @description('Upper bound of instances.')
  maximumInstances: int

  @description('Memory of one instance.')
  instanceMemoryMB: int

  @description('HTTP requests that one instance works on at once.')
  httpConcurrency: int

  @description('Instances of the HTTP functions that are never stopped.')
  alwaysReadyInstances: int
}

@description('GUIDs of the custom roles.')
@export()
type customRoleNames = {
  @description('Lists and regenerates account keys, keeps them as secrets.')
  rotator: string

  @description('Reads a secret by its name.')
  currentSecret: string

  @description('Reads rows and adds new ones.')
  appender: string

  @description('Reads, adds and changes rows.')
  writer: string

  @description('Reads, adds, changes and deletes rows.')
  keeper: string

  @description('Reads, changes and deletes rows.')
  settler: string

  @description('Reads and deletes rows.')
  sweeper: string

  @description('Makes blobs of the proof and appends to them.')
  proofAppender: string

  @description('Takes, keeps, gives back and removes messages.')
  queueWorker: string

  @description('Uses AI accounts without listing keys.')
  data: string
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
