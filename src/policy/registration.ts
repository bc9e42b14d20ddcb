/** What infra/app-registration.sh puts into the broker's app registration, and so into callers' tokens. */

/** Each app role, and whether Entra lets it be given to applications, to people (and groups of them), or to both. */
export const APP_ROLES: ReadonlyMap<string, readonly ('Application' | 'User')[]> = new Map([
  ['Token.Exchange', ['Application']],
  ['Broker.User', ['User']],
  ['Broker.Operator', ['User', 'Application']],
  ['Broker.Auditor', ['User', 'Application']],
  ['Broker.Publisher', ['Application']],
] as const);

/** Only tokens of people have scopes. */
export const SCOPES: readonly string[] = ['Token.Exchange', 'Broker.Operate'];

/** Whether Entra gives the app role to applications alone. False for a role that the registration does not have. */
export function isForApplications(appRole: string | undefined): boolean {
  const holders = appRole === undefined ? undefined : APP_ROLES.get(appRole);
  return holders !== undefined && !holders.includes('User');
}
