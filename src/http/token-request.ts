/**
 * RFC 8693 section 2.1 on the wire, form or JSON, read into an exchange request or a denial that says what
 * to send instead. What a Functions host does to requests before we see them is dealt with here.
 */
import type { Denial } from '../denial.ts';
import type { ExchangeRequest } from '../exchange/exchange.ts';
import { tokenKind } from '../policy/schema.ts';
import { parseStrictObject } from '../strict-json.ts';
import { TOKEN_KINDS } from '../token-kind.ts';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const SUBJECT_TYPES = [ACCESS_TOKEN, 'urn:ietf:params:oauth:token-type:jwt'];
const MAX_CHARACTERS = 65_536;
const optionalTokenKind = tokenKind.optional();
/** Parameters that may be sent more than once (RFC 8693 section 2.1), though one target is all we serve. */
const REPEATABLE = new Set(['resource', 'audience']);

export interface RawRequest {
  readonly headers: { get(name: string): string | null };
  readonly body: string;
}
type Parameters = ReadonlyMap<string, string>;

export function readTokenRequest(raw: RawRequest): ExchangeRequest | Denial {
  const parameters = readParameters(raw);
  if ('kind' in parameters) return parameters;
  const problem = unsupported(parameters);
  if (problem !== undefined) return problem;

  const subjectToken = readSubjectToken(raw, parameters);
  if (typeof subjectToken !== 'string') return subjectToken;
  const targets = [parameters.get('resource'), parameters.get('audience')].filter(
    (target) => target !== undefined,
  );
  const [target, another] = targets;
  if (target === undefined || another !== undefined)
    return malformed('exactly one target is required, as resource or as audience');
  const kind = optionalTokenKind.safeParse(parameters.get('token_kind'));
  if (!kind.success) return malformed(`token_kind must be one of ${TOKEN_KINDS.join(', ')}`);
  return { subjectToken, target, tokenKind: kind.data, scope: parameters.get('scope') };
}

const malformed = (detail: string): Denial => ({ kind: 'request_malformed', detail });

function readParameters({ headers, body }: RawRequest): Parameters | Denial {
  // The host hands on a chunked body as an empty one, in Azure too.
  if (body === '')
    return malformed(
      'the body is empty: send it with a Content-Length, chunked bodies do not reach this service',
    );
  if (body.length > MAX_CHARACTERS) return malformed('the body is too large');
  const contentType = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (contentType === 'application/x-www-form-urlencoded') return fromForm(body);
  if (contentType === 'application/json') return fromJson(body);
  return malformed('Content-Type must be application/x-www-form-urlencoded or application/json');
}

function fromForm(body: string): Parameters | Denial {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body)) {
    // RFC 6749 section 3.2: a parameter without a value counts as not sent.
    if (value === '') continue;
    if (parameters.has(name))
      return malformed(
        REPEATABLE.has(name)
          ? 'exactly one target is required, as resource or as audience'
          : 'a parameter is sent more than once',
      );
    parameters.set(name, value);
  }
  return parameters;
}

function fromJson(body: string): Parameters | Denial {
  const members = parseStrictObject(body);
  if (members === undefined) return malformed('the body must be one JSON object, no member twice');
  const parameters = new Map<string, string>();
  for (const [name, value] of Object.entries(members)) {
    if (typeof value !== 'string') return malformed('every member must be a string');
    if (value !== '') parameters.set(name, value);
  }
  return parameters;
}

function unsupported(parameters: Parameters): Denial | undefined {
  const grantType = parameters.get('grant_type');
  if (grantType === undefined) return malformed('grant_type is required');
  if (grantType !== GRANT_TYPE) return { kind: 'grant_type_unsupported' };
  if (parameters.has('actor_token') || parameters.has('actor_token_type'))
    return malformed('actor_token is not supported');
  if (parameters.has('client_secret') || parameters.has('client_assertion'))
    return malformed('client authentication is not used here: the subject token says who you are');
  if ((parameters.get('requested_token_type') ?? ACCESS_TOKEN) !== ACCESS_TOKEN)
    return malformed(`requested_token_type must be ${ACCESS_TOKEN}`);
  return undefined;
}

/** In the body or as Bearer, never both (RFC 6750 section 2). */
function readSubjectToken({ headers }: RawRequest, parameters: Parameters): string | Denial {
  const authorization = headers.get('authorization');
  const inBody = parameters.get('subject_token');
  const type = parameters.get('subject_token_type');
  if (inBody !== undefined) {
    if (authorization !== null) return malformed('send the subject token in the body or as Bearer, not both');
    if (type === undefined) return malformed('subject_token_type is required with subject_token');
    if (!SUBJECT_TYPES.includes(type))
      return malformed(`subject_token_type must be one of ${SUBJECT_TYPES.join(' ')}`);
    return inBody;
  }
  if (type !== undefined) return malformed('subject_token is required with subject_token_type');
  if (authorization === null) return { kind: 'caller_unverified', fault: 'missing' };
  return readBearer(authorization) ?? malformed('Authorization must be one Bearer token');
}

/** The host joins repeated headers with a comma, so two Authorization headers arrive as one: refused. */
export function readBearer(authorization: string): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization)?.[1];
}
