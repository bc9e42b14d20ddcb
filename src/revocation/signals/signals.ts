/**
 * The Shared Signals receiver: handles one pushed Security Event Token (RFC 8935). The revocation is in force on every
 * instance before the token is acknowledged, because the transmitter does not send an acknowledged token again. A
 * duplicate gets the same answer as the first.
 */
import { iso } from '../../iso.ts';
import type { Policy } from '../../policy/schema.ts';
import type { Clock, Log, Scope } from '../../ports.ts';
import { sha256 } from '../../secret.ts';
import { cutOffSeconds } from '../decision.ts';
import { keptText } from '../effect.ts';
import { type Change, KEEP_MS } from '../entry.ts';
import type { Directory, EventStore, TransmitterKeys } from '../ports.ts';
import type { Revoke } from '../revoke.ts';
import { readSet, type SecurityEvent, type SetError } from './set.ts';
import { type Meaning, meaningOf } from './signal-type.ts';
import { resolveSubject } from './subject.ts';

export interface SignalDeps {
  /** The one in force, as the latest look at the shared state found it. */
  readonly policy: () => Policy;
  readonly homeTenantId: string;
  /** The beginnings of Entra's issuer URLs, before `/<tenant>`, without a slash at the end. */
  readonly entraIssuers: readonly string[];
  readonly keys: TransmitterKeys;
  readonly directory: Pick<Directory, 'user'>;
  readonly events: EventStore;
  readonly revoke: Revoke;
  readonly now: Clock;
  readonly log: Log;
}

/** Longer than any transmitter sends the same token again. */
const KEEP_SIGNAL_MS = 30 * 86_400_000;

/** RFC 5321 section 4.5.3.1: at most 64 characters before the `@` and 255 after it. */
const EMAIL = /^[^@/\\]{1,64}@[^@/\\]{1,255}$/;

/**
 * @returns `accepted`, or why the token is refused
 * @throws UpstreamFailure when the transmitter must send it again
 */
export function createSignals(deps: SignalDeps): (token: string) => Promise<'accepted' | SetError> {
  const { policy, homeTenantId, entraIssuers, keys, directory, events, revoke, now, log } = deps;

  /** A user of the home tenant, because the broker reads no other tenant's directory. */
  async function userByEmail(email: string): Promise<Scope | undefined> {
    // Another text would become another path of Graph, for example `users/delta`, or an invalid one.
    if (!EMAIL.test(email) || !email.isWellFormed()) return undefined;
    const user = await directory.user(email);
    return user === 'absent' ? undefined : { kind: 'user', tenantId: homeTenantId, objectId: user.objectId };
  }

  /** @returns the outcome in a few words, for the record, or why the token is refused */
  async function apply(
    event: SecurityEvent,
    meanings: readonly Meaning[],
    receivedAtMs: number,
  ): Promise<string | SetError> {
    const { transmitter, jti } = event;
    const refused = refusal(event, meanings);
    if (refused !== undefined) return refused;
    const revoking = meanings.filter((meaning) => meaning.means === 'revoke');
    if (revoking.length === 0) return meanings.map(({ means }) => means).join(' ');
    const tenantIds = policy()
      .tenants.filter(({ name }) => transmitter.tenants.includes(name))
      .map(({ id }) => id);
    const scopes = await resolveSubject(event.subject, {
      transmitter,
      tenantIds,
      entraIssuers,
      // No address is looked up for a transmitter of another tenant, so it cannot learn which ones exist in this one.
      userByEmail: tenantIds.includes(homeTenantId) ? userByEmail : async () => undefined,
    });
    if ('err' in scopes) return scopes;
    if (scopes.length === 0) return 'subject unknown';
    const happenedAtSeconds = Math.max(
      ...revoking.map(({ atSeconds }) => atSeconds ?? event.happenedAtSeconds),
    );
    // All tokens from before the event have expired.
    if (happenedAtSeconds * 1000 < receivedAtMs - KEEP_MS) return 'too old to matter';
    await revoke(
      scopes.map(
        (scope): Change => ({
          scope,
          cutOffSeconds: cutOffSeconds(happenedAtSeconds * 1000, receivedAtMs),
          blockCause: undefined,
          reason: namesOf(event),
          source: `signal ${transmitter.name} ${jti}`,
          receivedAtMs,
        }),
      ),
    );
    return 'revoked';
  }

  return async (token) => {
    const receivedAtMs = now();
    const event = await readSet(token, policy().transmitters, keys);
    if ('err' in event) {
      log('signal_refused', { err: event.err, why: event.description });
      return event;
    }
    const { transmitter, jti } = event;
    const key = sha256(JSON.stringify([transmitter.issuer, jti]));
    const content = sha256(token.split('.')[1] ?? '');
    // A signal is stored only when its effect is complete, so a duplicate needs no work. A known `jti` with another
    // content is a transmitter's mistake; it is handled like a new signal, because one cut-off too many is safe.
    const known = await events.find('signal', key);
    if (known?.['content'] === content) {
      log('signal_again', { transmitter: transmitter.name, jti });
      return 'accepted';
    }
    const meanings = event.events.map(({ type, payload }) => meaningOf(type, payload));
    const outcome = await apply(event, meanings, receivedAtMs);
    if (typeof outcome !== 'string') {
      log('signal_refused', { transmitter: transmitter.name, err: outcome.err, why: outcome.description });
      return outcome;
    }
    const types = namesOf(event);
    const record = { transmitter: transmitter.name, types, outcome, content, receivedAt: iso(receivedAtMs) };
    await events.replace('signal', key, record, receivedAtMs + KEEP_SIGNAL_MS);
    log('signal', { transmitter: transmitter.name, types, outcome, reused: known !== undefined });
    return 'accepted';
  };
}

/** The last part of each event type's URL, for people. Example: `session-revoked`. */
function namesOf({ events }: SecurityEvent): string {
  const names = events.map(({ type }) => type.slice(type.lastIndexOf('/') + 1));
  return keptText(names.join(' '));
}

/** The first error that is in the event itself and does not depend on its subject; undefined when there is none. */
function refusal(
  { transmitter, subject }: SecurityEvent,
  meanings: readonly Meaning[],
): SetError | undefined {
  for (const meaning of meanings) {
    if (meaning.means === 'malformed') return { err: 'invalid_request', description: meaning.why };
    if (meaning.means !== 'verification') continue;
    // SSF 1.0 "Verification Event": the subject must be our stream, and the state the one that was requested.
    const { streamId, verificationState } = transmitter;
    const { format, id } = (subject ?? {}) as Record<string, unknown>;
    if (streamId !== undefined && (format !== 'opaque' || id !== streamId))
      return { err: 'invalid_request', description: 'the subject is not our stream' };
    const { state } = meaning;
    if (verificationState !== undefined && state !== undefined && state !== verificationState)
      return { err: 'invalid_state', description: 'the state is not the one asked for' };
  }
  return undefined;
}
