/**
 * The claims of Entra access tokens, v1.0 and v2.0, for users and applications.
 * https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 */
import { createHash, randomBytes } from 'node:crypto';
import { MAX_TOKEN_LIFE_MS, MIN_TOKEN_LIFE_MS } from '../../facts/entra.ts';
import type { Api, Application, Directory, ManagedIdentity, User } from './directory.ts';
import type { EntraKeys, Members } from './entra-keys.ts';

/** How the client proved itself: not at all, by a secret, by an assertion. */
export type ClientProof = '0' | '1' | '2';

export interface Subject {
  readonly tenantId: string;
  readonly objectId: string;
  /** Of the client that asks. */
  readonly clientId: string;
  readonly proof: ClientProof;
  /** Set: a delegated token for this user. */
  readonly user?: User;
  /** The scopes of the API that were asked for by name. Absent: those that were consented to before. */
  readonly scopes?: readonly string[];
  /** App roles at the API that is asked for. */
  readonly roles: readonly string[];
  /** Set: the subject is this managed identity. */
  readonly managedIdentityId?: string | undefined;
  /** Set: the client is an agent identity of this blueprint. */
  readonly blueprintId?: string | undefined;
  /** Set: the token lets a blueprint speak for this agent, and its `sub` says so. */
  readonly agentPath?: string | undefined;
}

/** The first-party API behind the assertions of federated credentials takes v2 tokens. */
export const federationAudience = 'api://AzureADTokenExchange';

/** What a scope asks for: the API's name before the last slash. Blanks separate; OpenID scopes do not count. */
export function audienceOf(scope: string): string | undefined {
  const openId = new Set(['openid', 'profile', 'email', 'offline_access']);
  const asked = scope.split(' ').find((one) => one !== '' && !openId.has(one));
  if (asked === undefined) return undefined;
  const end = asked.lastIndexOf('/');
  return end > 0 && !asked.endsWith('://') ? asked.slice(0, end) : asked;
}

/** The scopes of that API that are asked for by name; none for `.default`. */
export function namedScopes(scope: string, audience: string): readonly string[] {
  const prefix = `${audience}/`;
  const named = scope.split(' ').filter((one) => one.startsWith(prefix));
  return named.map((one) => one.slice(prefix.length)).filter((name) => name !== '.default');
}

export function apiOf(directory: Directory, audience: string): Api {
  const known = directory.apis.find((api) => api.clientId === audience || api.uris.includes(audience));
  if (known) return known;
  const tokenVersion = audience === federationAudience ? 2 : 1;
  return { clientId: audience, uris: [audience], tokenVersion, isBroker: false };
}

export interface EntraTokenOptions {
  readonly keys: EntraKeys;
  readonly directory: Directory;
  /** Where the v2 issuer lives. */
  authority(): string;
  readonly now: () => number;
  readonly random: () => number;
}

export interface Issued {
  readonly token: string;
  readonly claims: Members;
  readonly expiresAtSeconds: number;
}

function randomLifeSeconds(random: number): number {
  const spanMs = MAX_TOKEN_LIFE_MS - MIN_TOKEN_LIFE_MS;
  return Math.floor((MIN_TOKEN_LIFE_MS + random * (spanMs + 1000)) / 1000);
}

/** Issues for any audience asked, so that refusals can be tried. */
export function createTokenIssuer(options: EntraTokenOptions) {
  const { directory, keys } = options;
  return (audience: string, subject: Subject, lifeSeconds?: number, extra: Members = {}): Issued => {
    const api = apiOf(directory, audience);
    const atSeconds = Math.floor(options.now() / 1000);
    const life = lifeSeconds ?? randomLifeSeconds(options.random());
    const claims = {
      // A v1 token repeats the name that was asked for; a v2 token names the API by its client id.
      aud: api.tokenVersion === 2 ? api.clientId : audience,
      iss: issuerOf(options.authority(), subject.tenantId, api.tokenVersion),
      iat: atSeconds,
      nbf: atSeconds,
      exp: atSeconds + life,
      aio: opaque(24),
      ...clientClaims(api, subject),
      oid: subject.objectId,
      rh: `1.${opaque(18)}.`,
      ...subjectClaims(api, subject),
      ...agentClaims(subject),
      ...(subject.managedIdentityId === undefined ? {} : { xms_mirid: subject.managedIdentityId }),
      tid: subject.tenantId,
      uti: opaque(16),
      ver: api.tokenVersion === 2 ? '2.0' : '1.0',
      ...extra,
    };
    return { token: keys.sign(claims), claims, expiresAtSeconds: atSeconds + life };
  };
}
export type IssueToken = ReturnType<typeof createTokenIssuer>;

export function issuerOf(authority: string, tenantId: string, version: 1 | 2): string {
  return version === 2 ? `${authority}/${tenantId}/v2.0` : `https://sts.windows.net/${tenantId}/`;
}

function clientClaims(api: Api, subject: Subject): Members {
  return api.tokenVersion === 2
    ? { azp: subject.clientId, azpacr: subject.proof }
    : { appid: subject.clientId, appidacr: subject.proof };
}

/**
 * What Entra adds to the tokens of agent identities, with the facets of a public capture: 11 is an agent identity. Those
 * of a person are not known here but for what they lack.
 * https://learn.microsoft.com/entra/agent-id/agent-token-claims
 */
function agentClaims({ blueprintId, user }: Subject): Members {
  if (blueprintId === undefined) return {};
  return {
    xms_act_fct: '3 9 11',
    xms_sub_fct: user ? '9 3' : '9 3 11',
    xms_tnt_fct: '3 9',
    xms_par_app_azp: blueprintId,
  };
}

/** The `sub` of the token by which a blueprint speaks for one of its agents. */
export function agentPath({ tenantId, clientId, blueprintId }: Application): string {
  const [tenant, blueprint] = [tenantId, blueprintId ?? ''].map((id) =>
    Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url'),
  );
  return `/eid1/c/pub/t/${tenant}/a/${blueprint}/${clientId}`;
}

function subjectClaims(api: Api, { user, scopes, roles, objectId, agentPath }: Subject): Members {
  if (!user) return { idtyp: 'app', sub: agentPath ?? objectId, ...(roles.length > 0 ? { roles } : {}) };
  return {
    idtyp: 'user',
    name: user.displayName,
    ...(api.tokenVersion === 2 ? { preferred_username: user.username } : { unique_name: user.username }),
    ...(roles.length > 0 ? { roles } : {}),
    ...groupClaims(user),
    scp: scopes?.join(' ') || (api.isBroker ? consented(user) : 'user_impersonation'),
    sub: pairwise(user.objectId, api.clientId),
  };
}

function consented({ scopes = ['Token.Exchange'] }: User): string {
  return scopes.join(' ');
}

/** More than 200 groups do not fit into a token: it then says where they could be read. */
function groupClaims({ groups, objectId, tenantId }: User): Members {
  if (groups.length === 0) return {};
  if (groups.length <= 200) return { groups };
  const endpoint = `https://graph.windows.net/${tenantId}/users/${objectId}/getMemberObjects`;
  return { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint } } };
}

/** An application as subject of a token for an API. Its roles are those at the broker. */
export function applicationSubject(app: Application, proof: ClientProof, api: Api): Subject {
  return {
    tenantId: app.tenantId,
    objectId: app.objectId,
    clientId: app.clientId,
    proof,
    roles: api.isBroker ? app.appRoles : [],
    managedIdentityId: app.managedIdentityId,
    blueprintId: app.blueprintId,
  };
}

export function identitySubject(identity: ManagedIdentity, tenantId: string, audience: string): Subject {
  return {
    tenantId,
    objectId: identity.principalId,
    clientId: identity.clientId,
    proof: '2',
    roles: audience.startsWith('https://graph.microsoft.com') ? identity.graphRoles : [],
    managedIdentityId: identity.resourceId,
  };
}

export function pairwise(objectId: string, clientId: string): string {
  return createHash('sha256').update(`${objectId} ${clientId}`).digest('base64url');
}

function opaque(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
