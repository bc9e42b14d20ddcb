/**
 * The parameters of an OAuth request, from a form or a JSON object of strings. Anybody may send one, so sizes and
 * counts are checked before parsing, and a refused body costs less than a millisecond. The changes that the
 * Functions host makes to requests are handled here too.
 */
import { MAX_TOKEN_BODY_BYTES } from '../body-limits.ts';
import type { Denial } from '../denial.ts';
import { parseStrictObject } from '../strict-json.ts';

export interface RawRequest {
  readonly headers: { get(name: string): string | null };
  readonly body: string;
}
export type Parameters = ReadonlyMap<string, string>;
/** Why the parameters cannot be read. `detail` tells the sender what to send. */
export type MalformedRequest = Extract<Denial, { readonly kind: 'request_malformed' }>;

export const FORM = 'application/x-www-form-urlencoded';
export const JSON_TYPE = 'application/json';
/** RFC 8693 defines nine, and some clients add their own. */
const MAX_PARAMETERS = 32;

export function readParameters(
  { headers, body }: RawRequest,
  types: readonly string[],
): Parameters | MalformedRequest {
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity')
    return malformed('Content-Encoding is not supported: send the body as it is', 415);
  // The Functions host passes a chunked body on as an empty one, in Azure too.
  if (body === '' && headers.get('transfer-encoding') !== null)
    return malformed('send the body with a Content-Length: chunked bodies do not reach this service');
  if (body.length > MAX_TOKEN_BODY_BYTES)
    return malformed(`the body is too large: at most ${MAX_TOKEN_BODY_BYTES} characters`, 413);
  const type = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!types.includes(type)) return malformed(`Content-Type must be ${types.join(' or ')}`);
  return type === FORM ? fromForm(body) : fromJson(body);
}

export const malformed = (detail: string, status: MalformedRequest['status'] = 400): MalformedRequest => ({
  kind: 'request_malformed',
  status,
  detail,
});

function fromForm(body: string): Parameters | MalformedRequest {
  let count = 1;
  for (let at = body.indexOf('&'); at >= 0; at = body.indexOf('&', at + 1)) {
    count += 1;
    if (count > MAX_PARAMETERS) return malformed(`too many parameters: at most ${MAX_PARAMETERS}`);
  }
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body)) {
    // RFC 6749 section 3.2: a parameter without a value counts as not sent.
    if (value === '') continue;
    if (parameters.has(name)) return malformed(`a parameter is sent more than once${repeated(name)}`);
    parameters.set(name, value);
  }
  return parameters;
}

/** RFC 8693 section 2.1 allows several of these two, but the broker serves one target only, so the detail says so. */
const repeated = (name: string): string =>
  name === 'resource' || name === 'audience'
    ? ': exactly one target is required, as resource or as audience'
    : '';

function fromJson(body: string): Parameters | MalformedRequest {
  const members = parseStrictObject(body, MAX_PARAMETERS);
  if (members === 'unreadable')
    return malformed(
      `the body must be one JSON object of at most ${MAX_PARAMETERS} members, no member twice`,
    );
  const parameters = new Map<string, string>();
  for (const [name, value] of Object.entries(members)) {
    if (typeof value !== 'string') return malformed('every member must be a string');
    if (value !== '') parameters.set(name, value);
  }
  return parameters;
}
