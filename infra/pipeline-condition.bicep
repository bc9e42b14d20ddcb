// Nothing is deployed from here: two files give role administration under a condition, and this is the condition.

@description('Role Based Access Control Administrator: assigns roles, and reads. Owner and User Access Administrator hold more.')
@export()
var roleAdministrator = 'f58310d9-a9f6-439a-9e8d-f62e7b41a168'

@description('Roles of these GUIDs may be assigned and taken away, of principals of these types.')
@export()
func onlyThese(roles string[], principalTypes string[]) string =>
  '${onlyOf('write', 'Request', roles, principalTypes)} AND ${onlyOf('delete', 'Resource', roles, principalTypes)}'

@description('A new assignment is in the request; one that is deleted is the resource.')
func onlyOf(action string, place string, roles string[], principalTypes string[]) string =>
  '((!(ActionMatches{\'Microsoft.Authorization/roleAssignments/${action}\'})) OR (@${place}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${join(roles, ', ')}} AND @${place}[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {\'${join(principalTypes, '\', \'')}\'}))'
