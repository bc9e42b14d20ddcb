targetScope = 'subscription'

import { customRoleNames } from 'types.bicep'

@description('Tells the roles of two environments apart: role names are unique in a tenant.')
param suffix string

@description('GUIDs of the roles.')
param roleNames customRoleNames

@description('Subscriptions in which the roles can be assigned.')
param assignableScopes string[]

@description('What each custom role holds. The built-in roles of storage would do, but each also creates and deletes tables or queues, changes rows where adding is enough, or cannot give a message back.')
var definitions = [
  {
    // On an account it lists and regenerates keys, on the vault it keeps them. It can neither delete nor purge a
    // secret, nor change the account. Secrets Officer and Cognitive Services Contributor could.
    id: roleNames.rotator
    name: 'AI token broker rotator'
    description: 'Lists and regenerates the keys of Azure AI accounts, and keeps them as secrets.'
    actions: [
      'Microsoft.CognitiveServices/accounts/listKeys/action'
      'Microsoft.CognitiveServices/accounts/regenerateKey/action'
    ]
    dataActions: [
      'Microsoft.KeyVault/vaults/secrets/getSecret/action'
      'Microsoft.KeyVault/vaults/secrets/setSecret/action'
      'Microsoft.KeyVault/vaults/secrets/readMetadata/action'
      'Microsoft.KeyVault/vaults/secrets/update/action'
    ]
  }
  {
    // Key Vault Secrets User also lists versions. Without that, only the current version can be read, and one whose
    // random id is known already, which was current when it became known.
    id: roleNames.currentSecret
    name: 'AI token broker current secret reader'
    description: 'Reads a secret by its name. Cannot list secrets or versions.'
    actions: []
    dataActions: [
      'Microsoft.KeyVault/vaults/secrets/getSecret/action'
    ]
  }
  {
    id: roleNames.appender
    name: 'AI token broker row appender'
    description: 'Reads rows and adds new ones. Cannot change or delete a row.'
    actions: []
    dataActions: [
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/read'
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/add/action'
    ]
  }
  {
    id: roleNames.writer
    name: 'AI token broker row writer'
    description: 'Reads, adds and changes rows. Cannot delete a row.'
    actions: []
    dataActions: [
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/read'
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/add/action'
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/update/action'
    ]
  }
  {
    id: roleNames.keeper
    name: 'AI token broker row keeper'
    description: 'Reads, adds, changes and deletes rows. Cannot delete the table.'
    actions: []
    dataActions: [
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/read'
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/add/action'
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/update/action'
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/delete'
    ]
  }
  {
    id: roleNames.settler
    name: 'AI token broker row settler'
    description: 'Reads, changes and deletes rows that others add.'
    actions: []
    dataActions: [
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/read'
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/update/action'
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/delete'
    ]
  }
  {
    id: roleNames.sweeper
    name: 'AI token broker row sweeper'
    description: 'Reads and deletes rows. Cannot add or change one.'
    actions: []
    dataActions: [
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/read'
      'Microsoft.Storage/storageAccounts/tableServices/tables/entities/delete'
    ]
  }
  {
    // With add alone Azure takes a new blob and an append, and refuses to put one over another.
    id: roleNames.proofAppender
    name: 'AI token broker proof appender'
    description: 'Reads blobs, makes new ones and appends. Cannot put one over another or delete one.'
    actions: []
    dataActions: [
      'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'
      'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action'
    ]
  }
  {
    // Storage Queue Data Message Processor with Reader, as documented for the trigger, cannot update a message: then
    // the host can neither keep one invisible while it works nor give it back after a failure.
    id: roleNames.queueWorker
    name: 'AI token broker queue worker'
    description: 'Takes, keeps, gives back and removes messages of a queue.'
    actions: [
      'Microsoft.Storage/storageAccounts/queueServices/queues/read'
    ]
    dataActions: [
      'Microsoft.Storage/storageAccounts/queueServices/queues/messages/read'
      'Microsoft.Storage/storageAccounts/queueServices/queues/messages/write'
      'Microsoft.Storage/storageAccounts/queueServices/queues/messages/process/action'
    ]
  }
  {
    // For kinds without a role of their own (Foundry, Vision, Language, Translator, Document Intelligence). Two
    // built-in user roles would do, but both also list keys, and with a key their holder needs no broker any more.
    id: roleNames.data
    name: 'AI data user without keys'
    description: 'Uses Azure AI accounts with Entra tokens. Cannot list keys.'
    actions: []
    dataActions: [
      'Microsoft.CognitiveServices/*'
    ]
  }
]

resource roles 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for definition in definitions: {
    name: definition.id
    properties: {
      roleName: '${definition.name} (${suffix})'
      description: definition.description
      type: 'CustomRole'
      assignableScopes: assignableScopes
      permissions: [
        {
          actions: definition.actions
          notActions: []
          dataActions: definition.dataActions
          notDataActions: []
        }
      ]
    }
  }
]
