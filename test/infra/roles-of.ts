/**
 * What the deployment lets each identity do, read from roles.bicep and role-definitions.bicep. The simulated services
 * and the tests of least privilege decide by it, so that what they allow is what is deployed.
 */

import { all, bicepFile, type Declaration, declarations, properties, unquoted } from './bicep-syntax.ts';
import { BUILT_IN_ROLES, type Permissions } from './built-in-roles.ts';

export type Identity = 'issuer' | 'rotator';

/**
 * `table:<name>`, `queue:<name>` and `container:<name>` of the storage account with the state; `host:<identity>`, the storage account of
 * that app's host; `vault`; `account`, every AI account whose keys are rotated; `component`, Application Insights.
 */
export type Scope =
  | `table:${string}`
  | `queue:${string}`
  | `container:${string}`
  | `host:${Identity}`
  | 'vault'
  | 'account'
  | 'component';

export interface Held extends Permissions {
  readonly identity: Identity;
  readonly scope: Scope;
  /** As roles.bicep names it: `writer`, `storageTableDataReader`. */
  readonly role: string;
}

/** One entry for each assignment of roles.bicep, without actions that are of no use at its scope. */
export function rolesOf(): Held[] {
  return assignments().map(({ identity, scope, role }) => {
    const { actions, dataActions } = permissionsOf(role);
    const provider = providerOf(scope);
    const fits = (action: string): boolean => action.startsWith(`${provider}/`);
    return { identity, scope, role, actions: actions.filter(fits), dataActions: dataActions.filter(fits) };
  });
}

/** The custom roles of role-definitions.bicep, by the name that types.bicep gives them. */
export function customRoles(): ReadonlyMap<string, Permissions> {
  return new Map(
    rows('role-definitions.bicep', 'definitions').map((row) => {
      const list = (name: string) => row.get(name)?.namedChildren.map(unquoted) ?? [];
      const name = lastName(row.get('id')?.text);
      return [name, { actions: list('actions'), dataActions: list('dataActions') }];
    }),
  );
}

/** The rows of a variable that is an array of objects. */
export function rows(file: string, variable: string): ReturnType<typeof properties>[] {
  const array = all(variableOf(file, variable).node, 'array')[0];
  if (array === undefined) throw new Error(`${file}: ${variable} is no array`);
  return array.namedChildren.filter(({ type }) => type === 'object').map(properties);
}

function assignments(): Pick<Held, 'identity' | 'scope' | 'role'>[] {
  const read = (variable: string, scopeOf: (row: ReturnType<typeof properties>) => Scope) =>
    rows('roles.bicep', variable).map((row) => ({
      identity: identityOf(unquoted(row.get('identity'))),
      scope: scopeOf(row),
      role: lastName(row.get('role')?.text),
    }));
  const accounts = declarations(bicepFile('roles.bicep'), 'module').map((module) => ({
    identity: identityOf(lastName(module.at('params', 'principalId')?.text)),
    scope: 'account' as const,
    role: lastName(module.at('params', 'roleName')?.text),
  }));
  return [
    ...read('tableRoles', (row) => `table:${unquoted(row.get('table'))}`),
    ...read('queueRoles', (row) => `queue:${unquoted(row.get('queue'))}`),
    ...read('containerRoles', (row) => `container:${unquoted(row.get('container'))}`),
    ...read('vaultRoles', () => 'vault'),
    ...read(
      'hostRoles',
      (row) => `host:${identityOf((row.get('storage')?.text ?? '').replace('StorageName', ''))}`,
    ),
    ...read('componentRoles', () => 'component'),
    ...accounts,
  ];
}

function permissionsOf(role: string): Permissions {
  const permissions = customRoles().get(role) ?? BUILT_IN_ROLES[role];
  if (permissions === undefined) throw new Error(`roles.bicep: the role ${role} is not known`);
  return permissions;
}

function providerOf(scope: Scope): string {
  if (scope === 'vault') return 'Microsoft.KeyVault';
  if (scope === 'account') return 'Microsoft.CognitiveServices';
  return scope === 'component' ? 'Microsoft.Insights' : 'Microsoft.Storage';
}

function identityOf(text: string): Identity {
  if (text === 'issuer' || text === 'rotator') return text;
  throw new Error(`roles.bicep: ${text} is neither issuer nor rotator`);
}

function variableOf(file: string, name: string): Declaration {
  const found = declarations(bicepFile(file), 'variable').find((variable) => variable.name === name);
  if (found === undefined) throw new Error(`${file}: no variable ${name}`);
  return found;
}

/** `roleNames.writer` is `writer`. */
const lastName = (text = ''): string => text.split('.').at(-1) ?? '';
