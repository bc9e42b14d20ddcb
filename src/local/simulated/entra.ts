/**
 * The simulated Entra: discovery, keys and the token endpoint of its tenants.
 * https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
 */
import type { Directory } from './directory.ts';
import { createAuthorize } from './entra-authorize.ts';
import { createProveClient, missing } from './entra-client.ts';
import { type EntraRefusal, refusal, refuse } from './entra-errors.ts';
import { createGrants, delegated, grantNames } from './entra-grants.ts';
import type { EntraKeys, Members } from './entra-keys.ts';
import { createRedeem, REDEEMED } from './entra-redeem.ts';
import { createEntraSessions } from './entra-sessions.ts';
import { apiOf, audienceOf, type IssueToken, namedScopes, pairwise, type Subject } from './entra-tokens.ts';
import type { VerifyAccessToken } from './entra-verify.ts';
import type { Call, Endpoint, Outcome } from './service.ts';

export interface EntraOptions {
  readonly directory: Directory;
  readonly keys: EntraKeys;
  readonly issue: IssueToken;
  readonly verify: VerifyAccessToken;
  authority(): string;
  /** Of the console, which signs people in by redirect. */
  redirectUris(): readonly string[];
  readonly now: () => number;
}

const shared = ['common', 'organizations'];

export function createEntra(options: EntraOptions): Omit<Endpoint, 'port'> {
  const { directory, keys } = options;
  const prove = createProveClient(options);
  const grants = createGrants(options);
  const inBrowser = { ...options, sessions: createEntraSessions(directory, options.now) };
  const { authorize, signOut } = createAuthorize(inBrowser);
  const single = createRedeem(inBrowser);

  function token(call: Call, tenant: string): Outcome {
    const form = new URLSearchParams(call.body);
    const isRedeemed = REDEEMED.some((name) => name === form.get('grant_type'));
    const outcome = isRedeemed ? redeemed(call, form, tenant) : answer(call, form, tenant);
    const by = form.get('client_id') ?? undefined;
    return { ...outcome, by, resource: audienceOf(form.get('scope') ?? '') };
  }

  function answer(call: Call, form: URLSearchParams, tenant: string): Outcome {
    const no = (refused: EntraRefusal) => refuse(refused, options.now());
    const grantType = form.get('grant_type');
    if (!grantType) return no(missing('grant_type'));
    const grant = grants[grantNames[grantType] ?? ''];
    if (!grant) {
      const message = `The app requested an unsupported grant type '${grantType}'.`;
      return no(refusal('unsupported_grant_type', 70003, message));
    }
    const scope = form.get('scope') ?? '';
    const audience = audienceOf(scope);
    if (audience === undefined) return no(missing('scope'));
    const client = prove(call, form, shared.includes(tenant) ? directory.homeTenantId : tenant);
    if ('error' in client) return no(client);
    const subject = grant({ client, form, audience });
    if ('error' in subject) return no(subject);
    return issuedTo(subject, scope, audience, form);
  }

  function redeemed(call: Call, form: URLSearchParams, tenant: string): Outcome {
    const origin = single.origin(call);
    // A refusal too can be read by the page.
    const readable = (outcome: Outcome): Outcome => ({
      ...outcome,
      headers: { ...outcome.headers, ...(origin !== undefined && { 'access-control-allow-origin': origin }) },
    });
    const found = single.redeem(call, form, shared.includes(tenant) ? directory.homeTenantId : tenant);
    if ('error' in found) return readable(refuse(found, options.now()));
    const { app, user, scope, refreshToken } = found;
    const audience = audienceOf(scope);
    if (audience === undefined) return readable(refuse(missing('scope'), options.now()));
    const subject = delegated({ app, proof: '0' }, user, apiOf(directory, audience));
    const outcome = issuedTo(subject, scope, audience, form);
    const mayRefresh = scope.split(' ').includes('offline_access');
    const more = mayRefresh ? { refresh_token: refreshToken } : {};
    return readable({ ...outcome, body: { ...(outcome.body as object), ...more } });
  }

  function issuedTo(subject: Subject, scope: string, audience: string, form: URLSearchParams): Outcome {
    const asked = { ...subject, scopes: namedScopes(scope, audience) };
    const issued = options.issue(audience, asked, undefined, askedClaims(form.get('claims')));
    const expiresIn = issued.expiresAtSeconds - Math.floor(options.now() / 1000);
    return {
      status: 200,
      headers: { 'cache-control': 'no-store, no-cache', pragma: 'no-cache' },
      body: {
        token_type: 'Bearer',
        ...(subject.user ? { scope } : {}),
        expires_in: expiresIn,
        ext_expires_in: expiresIn,
        access_token: issued.token,
        ...userAnswer(subject, scope, form.has('client_info'), issued.expiresAtSeconds),
      },
    };
  }

  /** Who signed in, for a client library that keys its cache by user. */
  function userAnswer(subject: Subject, scope: string, clientInfo: boolean, exp: number): Members {
    const { user, clientId, tenantId } = subject;
    if (!user) return {};
    const atSeconds = Math.floor(options.now() / 1000);
    const idToken = () =>
      keys.sign({
        aud: clientId,
        iss: `${options.authority()}/${tenantId}/v2.0`,
        iat: atSeconds,
        nbf: atSeconds,
        exp,
        name: user.displayName,
        oid: user.objectId,
        preferred_username: user.username,
        sub: pairwise(user.objectId, clientId),
        tid: tenantId,
        ver: '2.0',
      });
    const info = { uid: user.objectId, utid: tenantId };
    return {
      ...(scope.split(' ').includes('openid') ? { id_token: idToken() } : {}),
      ...(clientInfo ? { client_info: Buffer.from(JSON.stringify(info)).toString('base64url') } : {}),
    };
  }

  return {
    service: 'entra',
    operation({ url, body }) {
      const { what } = route(url.pathname);
      if (what !== 'token') return what;
      const grantType = new URLSearchParams(body).get('grant_type') ?? '';
      const redeemed = REDEEMED.find((name) => name === grantType);
      return `token ${redeemed ?? grantNames[grantType] ?? 'unknown'}`;
    },
    handle(call) {
      const { tenant, what, version } = route(call.url.pathname);
      const isShared = shared.includes(tenant);
      if (!isShared && !directory.tenantIds.includes(tenant)) {
        const message = `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`;
        return refuse(refusal('invalid_request', 90002, message), options.now());
      }
      const authority = options.authority();
      switch (what) {
        case 'discovery':
          return { status: 200, body: discovery(authority, tenant, isShared, version) };
        case 'keys':
          return {
            status: 200,
            // Per key, and a template in which the reader puts the tenant; v1 keys have none.
            body: keys.published(version === 2 ? `${authority}/{tenantid}/v2.0` : undefined),
          };
        case 'token':
          if (call.method === 'POST') return token(call, tenant);
          return refuse(
            refusal('invalid_request', 900561, 'The endpoint only accepts POST requests.'),
            options.now(),
          );
        case 'authorize':
          return authorize(call, isShared ? directory.homeTenantId : tenant);
        case 'logout':
          return signOut(call);
        case 'unknown':
          return { status: 404 };
      }
    },
  };
}

interface Route {
  readonly tenant: string;
  readonly what: 'discovery' | 'keys' | 'token' | 'authorize' | 'logout' | 'unknown';
  readonly version: 1 | 2;
}

function route(path: string): Route {
  const [, tenant = '', rest = ''] = /^\/([^/]+)\/(.+)$/.exec(path) ?? [];
  switch (rest) {
    case '.well-known/openid-configuration':
      return { tenant, what: 'discovery', version: 1 };
    case 'v2.0/.well-known/openid-configuration':
      return { tenant, what: 'discovery', version: 2 };
    case 'discovery/keys':
      return { tenant, what: 'keys', version: 1 };
    case 'discovery/v2.0/keys':
      return { tenant, what: 'keys', version: 2 };
    case 'oauth2/v2.0/token':
      return { tenant, what: 'token', version: 2 };
    case 'oauth2/v2.0/authorize':
      return { tenant, what: 'authorize', version: 2 };
    case 'oauth2/v2.0/logout':
      return { tenant, what: 'logout', version: 2 };
    default:
      return { tenant, what: 'unknown', version: 2 };
  }
}

function discovery(authority: string, tenant: string, isShared: boolean, version: 1 | 2): object {
  const named = isShared ? '{tenantid}' : tenant;
  const base = `${authority}/${tenant}`;
  return {
    token_endpoint: `${base}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: version === 2 ? `${base}/discovery/v2.0/keys` : `${base}/discovery/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: version === 2 ? `${authority}/${named}/v2.0` : `https://sts.windows.net/${named}/`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'tid', 'ver', 'preferred_username', 'name'],
    tenant_region_scope: isShared ? null : 'EU',
    cloud_instance_name: 'microsoftonline.com',
    msgraph_host: 'graph.microsoft.com',
  };
}

/** `claims={"access_token":{"xms_cc":{"values":["cp1"]}}}`: what this client says it understands. */
function askedClaims(text: string | null): Members {
  if (text === null) return {};
  try {
    const asked = JSON.parse(text) as { access_token?: { xms_cc?: { values?: unknown } } } | null;
    const values = asked?.access_token?.xms_cc?.values;
    return Array.isArray(values) ? { xms_cc: values } : {};
  } catch {
    return {}; // Entra ignores what it cannot read here.
  }
}
