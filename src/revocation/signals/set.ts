/**
 * Verifies a Security Event Token (RFC 8417) of a configured transmitter by the rules of the Shared Signals Framework
 * 1.0. There are two profiles: `strict` accepts what the framework allows; `lenient` also accepts what real
 * transmitters send: no `typ`, a `sub` or `exp` beside the event, the older `subject` inside it, several events.
 * Both profiles check signature, issuer and audience.
 */
import { compactVerify, errors } from 'jose';
import * as z from 'zod';
import { MAX_SIGNAL_BYTES } from '../../body-limits.ts';
import { openJws } from '../../jws.ts';
import type { Transmitter } from '../../policy/schema.ts';
import type { TransmitterKeys } from '../ports.ts';

/** The error codes of RFC 8935 section 2.4, and `invalid_state` of SSF 1.0. */
export interface SetError {
  readonly err:
    | 'invalid_request'
    | 'invalid_key'
    | 'invalid_issuer'
    | 'invalid_audience'
    | 'authentication_failed'
    | 'access_denied'
    | 'invalid_state';
  readonly description: string;
}

export interface SecurityEvent {
  readonly transmitter: Transmitter;
  readonly jti: string;
  /** When the event happened: the token's `toe`, or `iat` if it has none. In seconds. */
  readonly happenedAtSeconds: number;
  readonly events: readonly { readonly type: string; readonly payload: Readonly<Record<string, unknown>> }[];
  /** A subject identifier of RFC 9493, not parsed yet. */
  readonly subject: unknown;
}

const seconds = z.int().min(0);
const claims = z.object({
  iss: z.string(),
  jti: z.string().min(1).max(512),
  iat: seconds,
  toe: seconds.optional(),
  aud: z.union([z.string(), z.array(z.string())]),
  events: z.record(z.string(), z.record(z.string(), z.unknown())),
  sub_id: z.record(z.string(), z.unknown()).optional(),
});

const invalid = (description: string): SetError => ({ err: 'invalid_request', description });

/** @throws UpstreamFailure when the transmitter's keys cannot be read */
export async function readSet(
  text: string,
  transmitters: readonly Transmitter[],
  keys: TransmitterKeys,
): Promise<SecurityEvent | SetError> {
  const opened = text.length > MAX_SIGNAL_BYTES ? 'malformed' : openJws(text);
  if (opened === 'malformed') return invalid('the body is not a security event token');
  const { header, payload } = opened;
  const candidates = transmitters.filter(({ issuer }) => issuer === payload['iss']);
  const [first] = candidates;
  if (first === undefined) return { err: 'invalid_issuer', description: 'the issuer is not configured here' };
  if (header['alg'] !== 'RS256' || typeof header['kid'] !== 'string')
    return { err: 'invalid_key', description: 'RS256 with a key id is required' };
  const key = await keys.find(first.jwksUri, header['kid']);
  if (key === undefined) return { err: 'invalid_key', description: 'the issuer publishes no such key' };
  if (!(await isSigned(text, key)))
    return { err: 'authentication_failed', description: 'the signature is not good' };

  const parsed = claims.safeParse(payload);
  const audiences = [payload['aud']].flat();
  const transmitter = candidates.find(({ audience }) => audiences.includes(audience));
  if (transmitter === undefined)
    return { err: 'invalid_audience', description: 'the audience is not this receiver' };
  if (!parsed.success) return invalid(problem(parsed.error));
  const { jti, iat, toe, events, sub_id } = parsed.data;
  const listed = Object.entries(events).map(([type, payload]) => ({ type, payload }));
  const strictProblem =
    transmitter.profile === 'strict' ? strictFault(header, payload, listed.length) : undefined;
  if (strictProblem !== undefined) return invalid(strictProblem);
  if (!isEventType(header['typ'], transmitter.profile)) return invalid('typ must be secevent+jwt');
  if (listed.length === 0) return invalid('events must have a member');
  const subject =
    sub_id ?? listed.map(({ payload }) => payload['subject']).find((legacy) => legacy !== undefined);
  return { transmitter, jti, happenedAtSeconds: toe ?? iat, events: listed, subject };
}

/** What SSF 1.0 forbids or requires in addition to RFC 8417 ("Security Event Token Profile"). */
function strictFault(
  header: Readonly<Record<string, unknown>>,
  payload: Readonly<Record<string, unknown>>,
  events: number,
): string | undefined {
  if (header['typ'] === undefined) return 'typ must be secevent+jwt';
  if ('sub' in payload) return 'sub must not be present';
  if ('exp' in payload) return 'exp must not be present';
  if (!('sub_id' in payload)) return 'sub_id is required';
  return events === 1 ? undefined : 'events must have exactly one member';
}

/** RFC 8417 section 2.3. `application/` may be left out, and media types are not case-sensitive. */
function isEventType(typ: unknown, profile: Transmitter['profile']): boolean {
  if (typ === undefined) return profile === 'lenient';
  if (typeof typ !== 'string') return false;
  const pattern =
    profile === 'strict' ? /^(application\/)?secevent\+jwt$/i : /^(application\/)?(secevent\+)?jwt$/i;
  return pattern.test(typ);
}

async function isSigned(text: string, key: Parameters<typeof compactVerify>[1]): Promise<boolean> {
  try {
    await compactVerify(text, key, { algorithms: ['RS256'] });
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError) return false;
    throw error;
  }
}

function problem(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') || 'the token'} is missing or of the wrong type`;
}
