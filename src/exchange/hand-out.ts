/** The last part of an exchange: a token that is cached or bought, put on record, and looked at once more. */
import { slotsOf } from '../account-key.ts';
import type { Denial } from '../denial.ts';
import { reason } from '../denial.ts';
import { iso } from '../iso.ts';
import type { Option, Target } from '../policy/match.ts';
import type { Resource } from '../policy/schema.ts';
import type { PolicyVersion } from '../policy/version.ts';
import type { AuditLog, AuditRecord, Caller, Clock, Snapshot } from '../ports.ts';
import type { TokenKind } from '../token-kind.ts';
import { UpstreamFailure } from '../upstream.ts';
import { type RevokedBy, revokedUnder } from './decision.ts';
import type { Freshness, Seen } from './freshness.ts';
import type { Held, Tokens, Wanted } from './tokens.ts';

export interface HandOutPorts {
  readonly freshness: Freshness;
  readonly revokedBy: RevokedBy;
  readonly isDropped: (revocations: Snapshot['revocations'], tokenSha256: string) => boolean;
  readonly tokens: Tokens;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly instance: string;
  readonly minimumLifeMs: number;
}
export interface Granted extends Held {
  readonly kind: TokenKind;
  readonly target: Target;
  readonly grant: string;
}
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
export type About = Mutable<Partial<AuditRecord> & { correlationId: string }>;
/** `policy_changed`: another policy came into force meanwhile, so the exchange starts over. */
export type Answer = Granted | Denial | 'policy_changed';

/** An exchange starts over when the shared state changed meanwhile. After so many rounds it fails as in an outage. */
export const MAX_ROUNDS = 4;

/** Whether what was decided under these rules still counts. */
export const isUnder = (rules: PolicyVersion, seen: Seen): boolean => seen.rules.version === rules.version;

/**
 * Returns a cached token or buys one. The last read of the head row starts only when the token is there, so a
 * revocation that was in force before that moment is always seen (invariant 1).
 */
export async function handOut(
  ports: HandOutPorts,
  rules: PolicyVersion,
  option: Option,
  target: Target,
  caller: Caller,
  about: About,
  known: Seen,
): Promise<Answer> {
  const { grant, kind } = option;
  const { resource, endpoint } = target;
  const revoked = ({ revocations }: Snapshot) =>
    revokedUnder(ports.revokedBy, option, target, caller, revocations);
  const wanted: Wanted = { resource, kind, endpoint, caller };
  let snapshot = known;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const slots = slotsOf(snapshot.slots, resource);
    const isDropped = ({ token }: Held) => ports.isDropped(snapshot.revocations, token.sha256);
    let held = ports.tokens.held(wanted, slots);
    if (held === undefined || isDropped(held)) {
      // The revocations are read again before a purchase: nothing is bought for a caller whose access has ended.
      snapshot = await ports.freshness.fresh();
      if (!isUnder(rules, snapshot)) return 'policy_changed';
      const refusal = revoked(snapshot);
      if (refusal !== undefined) return refusal;
      const answer = await ports.tokens.bought(wanted, held);
      if (!('token' in answer))
        return answer.refused === 'interaction_required'
          ? { kind: 'interaction_required', claims: answer.claims }
          : { kind: 'obo_refused' };
      held = answer;
      // Another instance bought a token with the same text in the same second, and that one was revoked. The next
      // purchase comes a second later, and its token has another text.
      if (isDropped(held)) continue;
    }
    if (
      held.expiresAtMs - ports.clock() >
      Math.min(grant.maxLifetime, resource.maxLifetime ?? grant.maxLifetime)
    )
      return { kind: 'lifetime_unmet', resource: resource.name, grant: grant.name };

    // The audit record is written while the head row is read, which halves the wait. If the process dies between
    // the two, the audit may list a token that was never sent. It never misses one that was. A second record,
    // `withheld`, says that the token was not sent, unless that write fails too.
    const record = {
      token: held.token.sha256.slice(0, 16),
      expiresAt: iso(held.expiresAtMs),
    };
    const [look, recorded] = await Promise.allSettled([
      ports.freshness.fresh(),
      ports.audit.append(row(ports, about, 'granted', record)),
    ]);
    if (recorded.status === 'rejected') throw recorded.reason;
    const withhold = (why: Denial | Unfit): Promise<void> => {
      const words = typeof why === 'string' ? UNFIT[why] : reason(why);
      return ports.audit.append(row(ports, about, 'withheld', { ...record, reason: words }));
    };
    if (look.status === 'rejected') {
      await withhold('head_unread');
      throw look.reason;
    }
    const seen = look.value;
    if (!isUnder(rules, seen)) {
      await withhold('policy_changed');
      return 'policy_changed';
    }
    const refusal = revoked(seen);
    const problem = refusal ?? unfit(ports, held, seen, resource);
    if (problem === undefined) return { ...held, kind, target, grant: grant.name };
    await withhold(problem);
    if (refusal !== undefined) return refusal;
    snapshot = seen;
  }
  throw new UpstreamFailure('tables', 'the shared state keeps moving');
}

/** Why a token that is already in the audit is not returned, though its caller is not refused; as the audit says it. */
const UNFIT = {
  head_unread: 'no look at the head',
  policy_changed: 'another policy came into force',
  token_revoked: 'the token was revoked',
  key_withdrawn: 'its key was withdrawn',
  life_too_short: 'too little of its life is left',
} as const;
type Unfit = keyof typeof UNFIT;

/** Why this token cannot be returned in the state that was just read; undefined when it can. */
function unfit(ports: HandOutPorts, held: Held, seen: Snapshot, resource: Resource): Unfit | undefined {
  if (ports.isDropped(seen.revocations, held.token.sha256)) return 'token_revoked';
  if (held.slot !== undefined && held.epoch !== (slotsOf(seen.slots, resource)?.epoch ?? 0))
    return 'key_withdrawn';
  if (held.expiresAtMs - ports.clock() <= ports.minimumLifeMs) return 'life_too_short';
  return undefined;
}

export function row(
  { clock, instance }: HandOutPorts,
  about: About,
  outcome: AuditRecord['outcome'],
  rest: Partial<AuditRecord>,
): AuditRecord {
  return { at: iso(clock()), instance, outcome, ...about, ...rest };
}
