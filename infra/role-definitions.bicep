targetScope = 'subscription'

@description('Tells the roles of two environments apart: role names are unique in a tenant.')
param suffix string

@description('GUID of the rotator role.')
param rotatorRoleName string

@description('GUID of the data role.')
param dataRoleName string

@description('Subscriptions in which the roles can be assigned.')
param assignableScopes string[]

// Two roles in one: on an account it lists and regenerates keys, on the vault it keeps them. It can neither
// delete nor purge a secret, nor change the account. Secrets Officer and Cognitive Services Contributor could.
resource rotator 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: rotatorRoleName
  properties: {
    roleName: 'AI token broker rotator (${suffix})'
    description: 'Lists and regenerates the keys of Azure AI accounts, and keeps them as secrets.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [
      {
        actions: [
          'Microsoft.CognitiveServices/accounts/read'
          'Microsoft.CognitiveServices/accounts/listKeys/action'
          'Microsoft.CognitiveServices/accounts/regenerateKey/action'
        ]
        notActions: []
        dataActions: [
          'Microsoft.KeyVault/vaults/secrets/getSecret/action'
          'Microsoft.KeyVault/vaults/secrets/setSecret/action'
          'Microsoft.KeyVault/vaults/secrets/readMetadata/action'
          'Microsoft.KeyVault/vaults/secrets/update/action'
        ]
        notDataActions: []
      }
    ]
  }
}

// For kinds without a role of their own (Foundry, Vision, Language, Translator, Document Intelligence). Two
// built-in user roles would do, but both also list keys, and with a key their holder needs no broker any more.
resource dataUser 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: dataRoleName
  properties: {
    roleName: 'AI data user without keys (${suffix})'
    description: 'Uses Azure AI accounts with Entra tokens. Cannot list keys.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [
      {
        actions: []
        notActions: []
        dataActions: [
          'Microsoft.CognitiveServices/*'
        ]
        notDataActions: []
      }
    ]
  }
}
