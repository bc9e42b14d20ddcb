/**
 * From the text of an Entra access token to a verified caller. jose checks the signature, `aud`, `iss`,
 * `exp` and `nbf`; the rest is what jose leaves to its user (RFC 8725) and what Entra adds: the signing
 * key's own issuer, the tenant, v1 and v2.
 * https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-tokens
 */

import { errors, jwtVerify } from 'jose';
import * as z from 'zod';
import { MAX_CALLER_TOKEN_CHARACTERS } from '../body-limits.ts';
import { MAX_CLOCK_OFF_SECONDS } from '../clocks.ts';
import type { CallerFault, Denial } from '../denial.ts';
import { IDENTIFIER, MAX_CALLER_TOKEN_LIFE_MS } from '../facts/entra.ts';
import { GUID } from '../guid.ts';
import { openJws } from '../jws.ts';
import type { Caller, Clock, SigningKeys } from '../ports.ts';
import { Secret } from '../secret.ts';
import { agentOf } from './agent.ts';
import { audiencesOf, hintFor } from './hint.ts';

export interface VerifyOptions {
  readonly keys: SigningKeys;
  readonly clock: Clock;
  /** The broker's client id: the audience of v2 tokens, and of v1 tokens beside `audienceUris`. */
  readonly clientId: string;
  readonly audienceUris: readonly string[];
  readonly homeTenantId: string;
  readonly acceptV1: boolean;
  /** Asks the shared state only where the tenant is not known yet. */
  readonly isAllowedTenant: (tenantId: string) => Promise<boolean>;
}

export type VerifyCaller = (token: string) => Promise<Caller | Denial>;

/** @throws UpstreamFailure when the signing keys cannot be read: an outage says nothing about the token */
export function createVerifyCaller(options: VerifyOptions): VerifyCaller {
  return async (token) => {
    const verdict = await verify(options, token);
    return typeof verdict === 'string'
      ? { kind: 'caller_unverified', fault: verdict, hint: hintFor(options, token) }
      : verdict;
  };
}

async function verify(options: VerifyOptions, token: string): Promise<Caller | CallerFault> {
  const opened = open(token);
  if (typeof opened === 'string') return opened;
  const { header, payload } = opened;
  // `cnf` binds the token to a key that the sender must prove to hold (RFC 7800). The exchange takes no such proof,
  // and without it the token must not be accepted as a bearer token (RFC 9449 section 7.2): it may be stolen.
  if (payload.cnf !== undefined) return 'bound';
  if (header.typ !== undefined && !/^(application\/)?(at\+)?jwt$/i.test(header.typ)) return 'type';
  if (payload.ver === '1.0' && !options.acceptV1) return 'version';

  const keyOf = () => options.keys.find(payload.tid, payload.ver, header.kid);
  // A cold instance waits for both, so the keys of the home tenant are not waited for after the tenants of the policy.
  const early = payload.tid === options.homeTenantId ? keyOf() : undefined;
  early?.catch(() => undefined);
  if (!(await options.isAllowedTenant(payload.tid))) return 'tenant';
  const found = await (early ?? keyOf());
  if (found === undefined) return 'unknown_key';
  const fault = await checkWithJose(options, token, payload, found);
  if (fault !== undefined) return fault;
  // Entra publishes with each key which issuer it signs for. Without this check the key of any tenant would do.
  const keyIssuer = found.keyIssuer?.replace('{tenantid}', payload.tid);
  if (keyIssuer !== undefined && keyIssuer !== payload.iss) return 'key_issuer';
  if (!new URL(payload.iss).pathname.startsWith(`/${payload.tid}/`)) return 'issuer';
  return callerOf(payload, token);
}

async function checkWithJose(
  options: VerifyOptions,
  token: string,
  payload: Claims,
  { key, issuer }: { key: Parameters<typeof jwtVerify>[1]; issuer: string },
): Promise<CallerFault | undefined> {
  const { clock } = options;
  try {
    await jwtVerify(token, key, {
      algorithms: ['RS256'],
      audience: audiencesOf(options, payload.ver),
      issuer,
      requiredClaims: ['exp', 'iat', 'nbf'],
      clockTolerance: MAX_CLOCK_OFF_SECONDS,
      maxTokenAge: MAX_CALLER_TOKEN_LIFE_MS / 1000,
      currentDate: new Date(clock()),
    });
    // The clock tolerance is meant for tokens that are not valid yet. An expired token gets none.
    return payload.exp * 1000 <= clock() ? 'expired' : undefined;
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return faultOf(error);
  }
}

function faultOf(error: errors.JOSEError): CallerFault {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (!(error instanceof errors.JWTClaimValidationFailed)) return 'malformed';
  switch (error.claim) {
    case 'aud':
      return 'audience';
    case 'iss':
      return 'issuer';
    case 'nbf':
    case 'iat':
      return 'not_yet_valid';
    default:
      return 'claims';
  }
}

const guid = z.string().regex(GUID);
const seconds = z.int().min(0);
const facets = z
  .string()
  .max(200)
  .transform((text) => text.split(' ').filter(Boolean))
  .optional();
const headerShape = z.object({ alg: z.string(), kid: z.string().max(200), typ: z.string().optional() });
const claimsShape = z
  .object({
    ver: z.enum(['1.0', '2.0']),
    iss: z.url(),
    aud: z.string(),
    tid: guid,
    oid: guid,
    azp: guid.optional(),
    appid: guid.optional(),
    // A revocation names a token by its `uti` and a person by `sub`. A token that no revocation could name is refused.
    sub: z.string().regex(IDENTIFIER),
    uti: z.string().regex(IDENTIFIER),
    iat: seconds,
    nbf: seconds,
    exp: seconds,
    idtyp: z.enum(['app', 'user']).optional(),
    cnf: z.unknown().optional(),
    xms_par_app_azp: guid.optional(),
    xms_act_fct: facets,
    xms_sub_fct: facets,
    scp: z.string().optional(),
    roles: z.array(z.string()).default([]),
    groups: z.array(z.string()).default([]),
    // https://learn.microsoft.com/security/zero-trust/develop/configure-tokens-group-claims-app-roles#group-overages
    _claim_names: z.object({ groups: z.string().optional() }).optional().catch(undefined),
    hasgroups: z.boolean().optional().catch(undefined),
  })
  .transform((claims, context) => {
    const clientId = claims.ver === '2.0' ? claims.azp : claims.appid;
    if (clientId !== undefined) return { ...claims, clientId };
    context.addIssue({ code: 'custom', message: 'no client id' });
    return z.NEVER;
  });
type Claims = z.infer<typeof claimsShape>;

/** Reads a token whose signature is not checked yet: it says which keys to check it with. */
function open(token: string): { header: z.infer<typeof headerShape>; payload: Claims } | CallerFault {
  if (token.length > MAX_CALLER_TOKEN_CHARACTERS) return 'too_large';
  const jws = openJws(token);
  if (jws === 'malformed') return jws;
  const header = headerShape.safeParse(jws.header);
  if (!header.success) return 'malformed';
  if (header.data.alg !== 'RS256') return 'algorithm';
  const payload = claimsShape.safeParse(jws.payload);
  return payload.success ? { header: header.data, payload: payload.data } : 'claims';
}

/** A token with neither a delegated scope nor an app role is refused: Entra issues such tokens to everybody. */
export function kindOf(
  idtyp: 'app' | 'user' | undefined,
  scopes: readonly string[],
  appRoles: readonly string[],
): Caller['kind'] | 'claims' | 'no_permission' {
  // Scopes are in tokens that act for a person, so the two contradict each other.
  if (idtyp === 'app' && scopes.length > 0) return 'claims';
  const kind = idtyp === 'app' ? 'application' : scopes.length > 0 ? 'user' : undefined;
  if (kind === undefined) return appRoles.length > 0 ? 'claims' : 'no_permission';
  return kind === 'application' && appRoles.length === 0 ? 'no_permission' : kind;
}

function callerOf(claims: Claims, token: string): Caller | CallerFault {
  const scopes = claims.scp?.split(' ').filter(Boolean) ?? [];
  if (claims.idtyp === 'app' && claims.scp !== undefined) return 'claims';
  const kind = kindOf(claims.idtyp, scopes, claims.roles);
  if (kind === 'claims' || kind === 'no_permission') return kind;
  const agent = agentOf({
    kind,
    blueprintId: claims.xms_par_app_azp,
    actorFacets: claims.xms_act_fct,
    subjectFacets: claims.xms_sub_fct,
  });
  if (agent === 'claims') return agent;
  return {
    kind,
    tenantId: claims.tid,
    objectId: claims.oid,
    clientId: claims.clientId,
    uti: claims.uti,
    subject: claims.sub,
    issuedAtSeconds: claims.iat,
    expiresAtSeconds: claims.exp,
    scopes,
    appRoles: claims.roles,
    groups: claims.groups,
    ...((claims._claim_names?.groups !== undefined || claims.hasgroups === true) && { groupOverage: true }),
    ...(agent !== undefined && { agent }),
    token: new Secret(token),
  };
}
