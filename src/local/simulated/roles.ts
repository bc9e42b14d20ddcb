/**
 * Azure's role-based access control, as far as the simulated services ask it: a principal may do something at
 * a scope if one of its assignments there, or above, has a role that names it. Matching ignores case.
 * https://learn.microsoft.com/azure/role-based-access-control/role-definitions
 */
import { DEPLOYED_ROLES, type RolePermissions } from '../../deployed-roles.ts';

const account = 'Microsoft.CognitiveServices/accounts';
const secrets = 'Microsoft.KeyVault/vaults/secrets';

/** The built-in roles that matter here, and the custom ones of infra/role-definitions.bicep. */
export const roles = {
  'Cognitive Services User': {
    actions: [`${account}/read`, `${account}/listKeys/action`],
    dataActions: ['Microsoft.CognitiveServices/*'],
  },
  'Cognitive Services OpenAI User': { actions: [`${account}/read`], dataActions: [`${account}/OpenAI/*`] },
  'Cognitive Services Speech User': {
    actions: [`${account}/read`],
    dataActions: [`${account}/SpeechServices/*`],
  },
  'AI data user without keys': { actions: [], dataActions: ['Microsoft.CognitiveServices/*'] },
  'Key Vault Secrets User': {
    actions: [],
    dataActions: [`${secrets}/getSecret/action`, `${secrets}/readMetadata/action`],
  },
  'Key Vault Secrets Officer': { actions: [], dataActions: [`${secrets}/*`] },
  ...DEPLOYED_ROLES,
} as const satisfies Readonly<Record<string, RolePermissions>>;

export type Role = keyof typeof roles;

export interface RoleAssignment {
  /** The object id of a user, a service principal or a managed identity. */
  readonly principalId: string;
  readonly role: Role;
  /** An ARM id; the assignment holds for it and everything below it. */
  readonly scope: string;
}

/** Who a verified Entra access token speaks for. */
export interface Principal {
  readonly tenantId: string;
  readonly objectId: string;
  /** `appid` or `azp`: the app that asked for the token. */
  readonly clientId: string;
}

/**
 * Checks signature, tenant, times and audience of an Entra access token; a trailing slash of the audience
 * does not count. `undefined`: not acceptable.
 */
export type Authenticate = (token: string, audiences: readonly string[]) => Promise<Principal | undefined>;

/** `actions`: through ARM. `dataActions`: at the service itself. A role for the one gives nothing of the other. */
export function allows(
  assignments: readonly RoleAssignment[],
  principalId: string,
  kind: 'actions' | 'dataActions',
  action: string,
  scope: string,
): boolean {
  return assignments.some(
    (assignment) =>
      assignment.principalId === principalId &&
      isWithin(scope, assignment.scope) &&
      roles[assignment.role][kind].some((pattern: string) => names(pattern, action)),
  );
}

function isWithin(scope: string, above: string): boolean {
  return `${scope}/`.toLowerCase().startsWith(`${above.replace(/\/$/, '')}/`.toLowerCase());
}

function names(pattern: string, action: string): boolean {
  const [wanted, asked] = [pattern.toLowerCase(), action.toLowerCase()];
  return wanted.endsWith('*') ? asked.startsWith(wanted.slice(0, -1)) : wanted === asked;
}
