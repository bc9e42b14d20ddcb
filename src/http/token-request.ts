/**
 * Reads a request of RFC 8693 section 2.1, form or JSON, into an exchange request, or into a denial that says what
 * to send instead.
 */
import type { Denial, UnexchangedType } from '../denial.ts';
import type { ExchangeRequest } from '../exchange/exchange.ts';
import { tokenKind } from '../policy/resource-schema.ts';
import { TOKEN_KINDS } from '../token-kind.ts';
import {
  FORM,
  JSON_TYPE,
  malformed,
  type Parameters,
  type RawRequest,
  readParameters,
} from './parameters.ts';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
export const JWT = 'urn:ietf:params:oauth:token-type:jwt';
/** What the caller's token may be called, and what may be asked for: every token of Azure AI is a JWT too. */
const TYPES: readonly string[] = [ACCESS_TOKEN, JWT];
const UNEXCHANGED: ReadonlyMap<string, UnexchangedType> = new Map(
  (['id_token', 'refresh_token', 'saml1', 'saml2'] as const).map((type) => [
    `urn:ietf:params:oauth:token-type:${type}`,
    type,
  ]),
);
const optionalTokenKind = tokenKind.optional();

export interface TokenRequest extends ExchangeRequest {
  /** How the token shall be called in the answer, if it is one: see `grantedResponse`. */
  readonly requestedType: typeof ACCESS_TOKEN | typeof JWT;
}

export function readTokenRequest(raw: RawRequest): TokenRequest | Denial {
  if (raw.body === '')
    return malformed(
      'the body is empty: send it with a Content-Length, chunked bodies do not reach this service',
    );
  const parameters = readParameters(raw, [FORM, JSON_TYPE]);
  if ('kind' in parameters) return parameters;
  const problem = unsupported(raw, parameters);
  if (problem !== undefined) return problem;

  const subjectToken = readSubjectToken(raw, parameters);
  if (typeof subjectToken !== 'string') return subjectToken;
  const audience = parameters.get('audience');
  const target = parameters.get('resource') ?? audience;
  if (target === undefined) return malformed('exactly one target is required, as resource or as audience');
  const alsoNamed = audience === target ? undefined : audience;
  const kind = optionalTokenKind.safeParse(parameters.get('token_kind'));
  if (!kind.success) return malformed(`token_kind must be one of ${TOKEN_KINDS.join(', ')}`);
  return {
    subjectToken,
    target,
    ...(alsoNamed !== undefined && { alsoNamed }),
    tokenKind: kind.data,
    scope: parameters.get('scope'),
    requestedType: parameters.get('requested_token_type') === JWT ? JWT : ACCESS_TOKEN,
  };
}

function unsupported({ headers }: RawRequest, parameters: Parameters): Denial | undefined {
  // The endpoint authenticates no clients (RFC 6749 section 2.3) and could ignore a client secret. It refuses one, so
  // that no client believes that its secret was checked.
  if (/^basic( |$)/i.test(headers.get('authorization') ?? ''))
    return { kind: 'client_authentication', method: 'Basic' };
  if (parameters.has('client_assertion') || parameters.has('client_assertion_type'))
    return { kind: 'client_authentication', method: 'client_assertion' };
  if (parameters.has('client_secret')) return { kind: 'client_authentication', method: 'client_secret' };
  const grantType = parameters.get('grant_type');
  if (grantType === undefined) return malformed('grant_type is required');
  if (grantType !== GRANT_TYPE) return { kind: 'grant_type_unsupported' };
  if (parameters.has('actor_token') || parameters.has('actor_token_type')) return { kind: 'actor_token' };
  if (!TYPES.includes(parameters.get('requested_token_type') ?? ACCESS_TOKEN))
    return malformed(`requested_token_type must be one of ${TYPES.join(' ')}`);
  return undefined;
}

/** The caller's token is in the body or in the Authorization header, never in both (RFC 6750 section 2). */
function readSubjectToken({ headers }: RawRequest, parameters: Parameters): string | Denial {
  const authorization = headers.get('authorization');
  const inBody = parameters.get('subject_token');
  const type = parameters.get('subject_token_type');
  if (inBody !== undefined) {
    if (authorization !== null) return malformed('send the subject token in the body or as Bearer, not both');
    if (type === undefined) return malformed('subject_token_type is required with subject_token');
    if (!TYPES.includes(type)) return { kind: 'subject_token_type', type: UNEXCHANGED.get(type) ?? 'other' };
    return inBody;
  }
  if (type !== undefined) return malformed('subject_token is required with subject_token_type');
  if (authorization === null) return { kind: 'caller_unverified', fault: 'missing', hint: 'missing' };
  return readBearer(authorization) ?? malformed('Authorization must be one Bearer token');
}

/** Two Authorization headers are refused: the host joins them with a comma, which no Bearer token contains. */
export function readBearer(authorization: string): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization)?.[1];
}
