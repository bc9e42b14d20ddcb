/**
 * One exchange: it verifies the caller, finds the grants that apply, checks the revocations, obtains a token,
 * writes the audit record and returns the token. It knows neither HTTP nor Azure.
 */

import { slotsOf } from '../account-key.ts';
import type { Denial } from '../denial.ts';
import { isOfStranger, reason } from '../denial.ts';
import { iso } from '../iso.ts';
import type { CompiledPolicy, Option, Target } from '../policy/match.ts';
import type { Resource } from '../policy/schema.ts';
import type { AuditLog, AuditRecord, Caller, Clock, Snapshot } from '../ports.ts';
import type { TokenKind } from '../token-kind.ts';
import { UpstreamFailure } from '../upstream.ts';
import { recordedClaims } from './claims.ts';
import {
  type Asked,
  isEntraRefusal,
  isPreferred,
  type RevokedBy,
  revokedUnder,
  shadowOf,
  unfitFor,
} from './decision.ts';
import type { Freshness } from './freshness.ts';
import type { Rate } from './rate.ts';
import type { Held, Tokens, Wanted } from './tokens.ts';
import type { VerifyCaller } from './verify.ts';

export interface ExchangeRequest extends Asked {
  readonly subjectToken: string;
  /** `audience`, where `resource` names the target: it must be a name of the same account. */
  readonly alsoNamed?: string;
}
export interface Granted extends Held {
  readonly kind: TokenKind;
  readonly target: Target;
  readonly grant: string;
}
/**
 * @param request what was asked, or the denial that reading it ended in
 * @throws UpstreamFailure when anything it depends on is out of reach: neither a grant nor a denial
 */
export type Exchange = (
  request: ExchangeRequest | Denial,
  correlationId: string,
) => Promise<Granted | Denial>;

export interface ExchangePorts {
  readonly policy: CompiledPolicy;
  readonly verify: VerifyCaller;
  readonly freshness: Freshness;
  readonly revokedBy: RevokedBy;
  readonly isDropped: (revocations: Snapshot['revocations'], tokenSha256: string) => boolean;
  readonly tokens: Tokens;
  readonly rate: Rate;
  readonly audit: AuditLog;
  /** Counts a refusal of somebody unverified: it is recorded later and in bulk, and nothing waits for that. */
  readonly refusedStranger: (reason: string, correlationId: string, resource: string | undefined) => void;
  readonly clock: Clock;
  readonly instance: string;
  readonly minimumLifeMs: number;
}

/** An exchange starts over when the shared state changed meanwhile. After so many rounds it fails as in an outage. */
const MAX_ROUNDS = 4;

export function createExchange(ports: ExchangePorts): Exchange {
  return async (request, correlationId) => {
    const about: Partial<AuditRecord> & { correlationId: string } = { correlationId };
    const answer = 'kind' in request ? request : await exchanged(ports, request, about);
    if ('token' in answer) return answer;
    if (isOfStranger(answer)) {
      const resource = 'kind' in request ? undefined : ports.policy.recordedAs(request.target);
      ports.refusedStranger(reason(answer), correlationId, resource);
    } else await ports.audit.append(row(ports, about, 'refused', { reason: reason(answer) }));
    return answer;
  };
}

type About = Partial<AuditRecord> & { correlationId: string };
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

async function exchanged(
  ports: ExchangePorts,
  request: ExchangeRequest,
  about: Mutable<About>,
): Promise<Granted | Denial> {
  const caller = await ports.verify(request.subjectToken);
  if (!('objectId' in caller)) return caller;
  about.tenantId = caller.tenantId;
  about.clientId = caller.clientId;
  about.objectId = caller.objectId;
  about.uti = caller.uti;
  about.claims = recordedClaims(ports.policy, caller);
  if (request.tokenKind !== undefined) about.asked = request.tokenKind;
  const target = ports.policy.target(request.target);
  if (
    request.alsoNamed !== undefined &&
    (target === undefined || ports.policy.target(request.alsoNamed)?.resource !== target.resource)
  ) {
    about.resource = ports.policy.recordedAs(request.target);
    return { kind: 'targets_differ' };
  }
  if (target === undefined) {
    about.resource = ports.policy.recordedAs(request.target);
    return { kind: 'target_unknown', target: request.target };
  }
  about.resource = target.resource.name;
  const shadow = shadowOf(ports.policy, target, caller, request);
  if (shadow !== undefined) about.shadow = [shadow];
  const options = ports.policy.options(caller, target.resource, request.tokenKind);
  // `decide` in decision.ts is the same loop, without what only happens here.
  let refusal: Denial | undefined;
  for (const option of options) {
    const under = { ...about, grant: option.grant.name, tokenKind: option.kind };
    const answer =
      unfitFor(option, target, caller, request) ??
      (await exchangeUnder(ports, option, target, caller, under));
    if ('token' in answer) return answer;
    if (isPreferred(answer, refusal)) {
      refusal = answer;
      Object.assign(about, under);
    }
    if (isEntraRefusal(answer)) break;
  }
  return refusal ?? { kind: 'grant_missing', resource: target.resource.name };
}

/** One grant. Revocations and the rate limit come first, so that nothing is bought for a caller who is refused. */
async function exchangeUnder(
  ports: ExchangePorts,
  option: Option,
  target: Target,
  caller: Caller,
  about: About,
): Promise<Granted | Denial> {
  const { grant } = option;
  const revoked = ({ revocations }: Snapshot) =>
    revokedUnder(ports.revokedBy, option, target, caller, revocations);

  let snapshot = ports.freshness.known() ?? (await ports.freshness.fresh());
  // The cached snapshot may hold a revocation that was lifted meanwhile, so a refusal needs a fresh one too.
  if (revoked(snapshot) !== undefined) snapshot = await ports.freshness.fresh();
  const refusal = revoked(snapshot);
  if (refusal !== undefined) return refusal;
  const bucket = `${grant.name} ${caller.tenantId} ${caller.objectId} ${caller.clientId}`;
  const waitMs = ports.rate.take(bucket, grant.rate, ports.clock());
  if (waitMs > 0)
    return { kind: 'rate_limited', grant: grant.name, retryAfterSeconds: Math.ceil(waitMs / 1000) };
  try {
    return await handOut(ports, option, target, caller, about, snapshot);
  } catch (error) {
    ports.rate.giveBack(bucket);
    throw error;
  }
}

/**
 * Returns a cached token or buys one. The last read of the head row starts only when the token is there, so a
 * revocation that was in force before that moment is always seen (invariant 1).
 */
async function handOut(
  ports: ExchangePorts,
  option: Option,
  target: Target,
  caller: Caller,
  about: About,
  known: Snapshot,
): Promise<Granted | Denial> {
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
  token_revoked: 'the token was revoked',
  key_withdrawn: 'its key was withdrawn',
  life_too_short: 'too little of its life is left',
} as const;
type Unfit = keyof typeof UNFIT;

/** Why this token cannot be returned in the state that was just read; undefined when it can. */
function unfit(ports: ExchangePorts, held: Held, seen: Snapshot, resource: Resource): Unfit | undefined {
  if (ports.isDropped(seen.revocations, held.token.sha256)) return 'token_revoked';
  if (held.slot !== undefined && held.epoch !== (slotsOf(seen.slots, resource)?.epoch ?? 0))
    return 'key_withdrawn';
  if (held.expiresAtMs - ports.clock() <= ports.minimumLifeMs) return 'life_too_short';
  return undefined;
}

function row(
  { clock, instance }: ExchangePorts,
  about: About,
  outcome: AuditRecord['outcome'],
  rest: Partial<AuditRecord>,
): AuditRecord {
  return { at: iso(clock()), instance, outcome, ...about, ...rest };
}
