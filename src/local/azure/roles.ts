/**
 * Azure's role-based access control, as far as the simulated services ask it: a principal may do an action at
 * a scope if one of its assignments there, or above, has a role that names the action. Matching ignores case.
 * https://learn.microsoft.com/azure/role-based-access-control/role-definitions
 */
const ai = 'Microsoft.CognitiveServices/accounts';
const vault = 'Microsoft.KeyVault/vaults/secrets';

/** Actions and data actions in one list: no action of one kind is spelled like one of the other. */
const roles = {
  'Cognitive Services User': [`${ai}/read`, `${ai}/listKeys/action`, 'Microsoft.CognitiveServices/*'],
  'Cognitive Services OpenAI User': [`${ai}/OpenAI/*`],
  'Cognitive Services Speech User': [`${ai}/SpeechServices/*`],
  /** A custom role, data actions only: what the built-in User role would be without listKeys. */
  'Azure AI Data User': [
    `${ai}/OpenAI/*`,
    `${ai}/SpeechServices/*`,
    `${ai}/TextTranslation/*`,
    `${ai}/ComputerVision/*`,
    `${ai}/Language/*`,
    `${ai}/FormRecognizer/*`,
  ],
  'AI Account Key Rotator': [`${ai}/read`, `${ai}/listKeys/action`, `${ai}/regenerateKey/action`],
  'Key Vault Secrets User': [`${vault}/getSecret/action`, `${vault}/readMetadata/action`],
  /** A custom role: Secrets Officer without delete, recover, purge, backup and restore. */
  'Key Vault Secrets Writer': [
    `${vault}/getSecret/action`,
    `${vault}/setSecret/action`,
    `${vault}/readMetadata/action`,
    `${vault}/update/action`,
  ],
  'Key Vault Secrets Officer': [`${vault}/*`],
} as const;

export type Role = keyof typeof roles;

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

export interface RoleAssignment {
  /** The object id of a user, a service principal or a managed identity. */
  readonly principalId: string;
  readonly role: Role;
  /** An ARM id; the assignment holds for it and everything below it. */
  readonly scope: string;
}

export function allows(
  assignments: readonly RoleAssignment[],
  principalId: string,
  action: string,
  scope: string,
): boolean {
  return assignments.some(
    (assignment) =>
      assignment.principalId === principalId &&
      isWithin(scope, assignment.scope) &&
      roles[assignment.role].some((pattern) => names(pattern, action)),
  );
}

function isWithin(scope: string, above: string): boolean {
  return `${scope}/`.toLowerCase().startsWith(`${above.replace(/\/$/, '')}/`.toLowerCase());
}

function names(pattern: string, action: string): boolean {
  const [wanted, asked] = [pattern.toLowerCase(), action.toLowerCase()];
  return wanted.endsWith('*') ? asked.startsWith(wanted.slice(0, -1)) : wanted === asked;
}
