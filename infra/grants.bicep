// On which AI accounts the tokens that the broker hands out are good: the application, other identities, and the
// people it acts for, as `grants` in environments.json says.
import { aiAccount } from 'types.bicep'

@description('Object id of the service principal of the broker\'s app registration.')
param applicationId string

@description('Object id of the issuer app\'s own identity.')
param systemAssignedId string

@description('The AI accounts and who may use them.')
param accounts aiAccount[]

@description('GUID of the custom data role.')
param dataRoleName string

@description('What an account grant may name.')
var dataRoles = {
  speech: 'f2dc8367-1007-4938-bd23-fe263f013447'
  openai: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
  data: dataRoleName
}

@description('One entry for each grant of each account.')
var dataGrants = flatten(map(
  accounts,
  account => map(account.grants, grant => {
    accountId: account.id
    role: grant.role
    to: grant.to
    principalId: grant.?principalId ?? ''
  })
))

module accountUsers 'account-role.bicep' = [
  for grant in dataGrants: {
    scope: resourceGroup(split(grant.accountId, '/')[2], split(grant.accountId, '/')[4])
    params: {
      accountName: last(split(grant.accountId, '/'))
      roleName: dataRoles[grant.role]
      principalId: grant.to == 'application'
        ? applicationId
        : grant.to == 'systemAssigned' ? systemAssignedId : grant.principalId
      principalType: grant.to == 'group' ? 'Group' : 'ServicePrincipal'
    }
  }
]
