/**
 * The main job: verify the caller, find the grants, look whether anything is revoked, obtain the token,
 * record it, answer. Nothing here knows HTTP or Azure.
 */
import { slotsOf } from '../account-key.ts';
import type { Denial } from '../denial.ts';
import { isOfStranger, reason } from '../denial.ts';
import type { CompiledPolicy, Option, Target } from '../policy/match.ts';
import type { Resource } from '../policy/schema.ts';
import type { AuditLog, AuditRecord, Caller, Clock, Refusal, Snapshot } from '../ports.ts';
import { ACTS_AS, type TokenKind } from '../token-kind.ts';
import { UpstreamFailure } from '../upstream.ts';
import type { Freshness } from './freshness.ts';
import type { Rate } from './rate.ts';
import type { Held, Tokens, Wanted } from './tokens.ts';
import type { VerifyCaller } from './verify.ts';

export interface ExchangeRequest {
  readonly subjectToken: string;
  /** An endpoint URL, or a resource's name in the policy. */
  readonly target: string;
  /** Absent: the first kind of the grant. */
  readonly tokenKind: TokenKind | undefined;
  readonly scope: string | undefined;
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
  readonly revokedBy: (
    revocations: Snapshot['revocations'],
    caller: Caller,
    resource: string,
    grant: string,
  ) => Refusal | undefined;
  readonly isDropped: (revocations: Snapshot['revocations'], tokenSha256: string) => boolean;
  readonly tokens: Tokens;
  readonly rate: Rate;
  readonly audit: AuditLog;
  /** Counts a refusal of somebody unverified: it is recorded later and in bulk, and nothing waits for that. */
  readonly refusedStranger: (reason: string, correlationId: string) => void;
  readonly clock: Clock;
  readonly instance: string;
  readonly minimumLifeMs: number;
}

/** How often a moving head may send an exchange back before it is an outage. */
const MAX_ROUNDS = 4;

export function createExchange(ports: ExchangePorts): Exchange {
  return async (request, correlationId) => {
    const about: Partial<AuditRecord> & { correlationId: string } = { correlationId };
    const answer = 'kind' in request ? request : await decide(ports, request, about);
    if ('token' in answer) return answer;
    if (isOfStranger(answer)) ports.refusedStranger(reason(answer), correlationId);
    else await ports.audit.append(row(ports, about, 'refused', { reason: reason(answer) }));
    return answer;
  };
}

type About = Partial<AuditRecord> & { correlationId: string };
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

async function decide(
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
  const target = ports.policy.target(request.target);
  if (target === undefined) return { kind: 'target_unknown', target: request.target };
  about.resource = target.resource.name;
  const options = ports.policy.options(caller, target.resource, request.tokenKind);
  // Every grant that applies is considered; the first refusal is what the caller hears if none gives a token.
  let refusal: Denial | undefined;
  for (const option of options) {
    const under = { ...about, grant: option.grant.name, tokenKind: option.kind };
    const answer =
      request.scope !== undefined && request.scope !== target.resource.scope
        ? ({ kind: 'scope_unsupported' } as const)
        : await exchangeUnder(ports, option, target, caller, under);
    if ('token' in answer) return answer;
    if (refusal === undefined || isEntraRefusal(answer) || isCured(refusal, answer)) {
      refusal = answer;
      Object.assign(about, under);
    }
    // Entra has spoken about this user: another grant must not pass a token by it.
    if (isEntraRefusal(answer)) break;
  }
  return refusal ?? { kind: 'grant_missing', resource: target.resource.name };
}

const isEntraRefusal = ({ kind }: Denial): boolean =>
  kind === 'interaction_required' || kind === 'obo_refused';

/** Under the one grant no token would do, under the other a newer one: the caller should get it. */
const isCured = (refusal: Denial, other: Denial): boolean =>
  refusal.kind === 'revoked' &&
  refusal.acceptedFromSeconds === undefined &&
  other.kind === 'revoked' &&
  other.acceptedFromSeconds !== undefined;

/** Under one grant: who may not have a token now is told before anything is bought. */
async function exchangeUnder(
  ports: ExchangePorts,
  option: Option,
  target: Target,
  caller: Caller,
  about: About,
): Promise<Granted | Denial> {
  const { grant, kind } = option;
  const { resource } = target;
  if (ACTS_AS[kind] === 'caller' && caller.kind !== 'user')
    return { kind: 'user_required', resource: resource.name };
  const revoked = (snapshot: Snapshot) => revokedIn(ports, snapshot, caller, resource.name, grant.name);

  let snapshot = ports.freshness.known() ?? (await ports.freshness.fresh());
  // A refusal must be as fresh as a grant: what is known may have been lifted.
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

/** The final look at the head begins only when there is a token to hand out. */
async function handOut(
  ports: ExchangePorts,
  { grant, kind }: Option,
  target: Target,
  caller: Caller,
  about: About,
  known: Snapshot,
): Promise<Granted | Denial> {
  const { resource, endpoint } = target;
  const revoked = (snapshot: Snapshot) => revokedIn(ports, snapshot, caller, resource.name, grant.name);
  const wanted: Wanted = { resource, kind, endpoint, caller };
  let snapshot = known;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const slots = slotsOf(snapshot.slots, resource);
    const isDropped = ({ token }: Held) => ports.isDropped(snapshot.revocations, token.sha256);
    let held = ports.tokens.held(wanted, slots);
    if (held === undefined || isDropped(held)) {
      // Nothing is bought for a caller whose access has ended.
      snapshot = await ports.freshness.fresh();
      const refusal = revoked(snapshot);
      if (refusal !== undefined) return refusal;
      const answer = await ports.tokens.bought(wanted, held);
      if (!('token' in answer))
        return answer.refused === 'interaction_required'
          ? { kind: 'interaction_required', claims: answer.claims }
          : { kind: 'obo_refused' };
      held = answer;
      // Another instance bought its like in this very second, and that one was revoked: the next will differ.
      if (isDropped(held)) continue;
    }
    if (
      held.expiresAtMs - ports.clock() >
      Math.min(grant.maxLifetime, resource.maxLifetime ?? grant.maxLifetime)
    )
      return { kind: 'lifetime_unmet', resource: resource.name, grant: grant.name };

    // The record and the look at the head run together: the record may then say more than was handed out,
    // never less; a second record says so unless that write fails too.
    const record = {
      token: held.token.sha256.slice(0, 16),
      expiresAt: new Date(held.expiresAtMs).toISOString(),
    };
    const [look, recorded] = await Promise.allSettled([
      ports.freshness.fresh(),
      ports.audit.append(row(ports, about, 'granted', record)),
    ]);
    if (recorded.status === 'rejected') throw recorded.reason;
    const withhold = (why: string): Promise<void> =>
      ports.audit.append(row(ports, about, 'withheld', { ...record, reason: why }));
    if (look.status === 'rejected') {
      await withhold('no look at the head');
      throw look.reason;
    }
    const seen = look.value;
    const refusal = revoked(seen);
    const problem = refusal ?? unfit(ports, held, seen, resource);
    if (problem === undefined) return { ...held, kind, target, grant: grant.name };
    const why = typeof problem === 'string' ? problem : reason(problem);
    await withhold(why);
    if (refusal !== undefined) return refusal;
    snapshot = seen;
  }
  throw new UpstreamFailure('tables', 'the shared state keeps moving');
}

/** Why a held token cannot be handed out as things stand now; undefined when it can. */
function unfit(ports: ExchangePorts, held: Held, seen: Snapshot, resource: Resource): string | undefined {
  if (ports.isDropped(seen.revocations, held.token.sha256)) return 'the token was revoked';
  if (held.slot !== undefined && held.epoch !== (slotsOf(seen.slots, resource)?.epoch ?? 0))
    return 'its key was withdrawn';
  if (held.expiresAtMs - ports.clock() <= ports.minimumLifeMs) return 'too little of its life is left';
  return undefined;
}

function revokedIn(
  ports: ExchangePorts,
  { revocations }: Snapshot,
  caller: Caller,
  resource: string,
  grant: string,
): Denial | undefined {
  const refusal = ports.revokedBy(revocations, caller, resource, grant);
  if (refusal === undefined) return undefined;
  const { scope, acceptedFromSeconds } = refusal;
  const isTarget = scope.kind === 'resource' || scope.kind === 'grant';
  return {
    kind: 'revoked',
    scope: Object.values(scope).join(' '),
    of: isTarget && acceptedFromSeconds === undefined ? 'target' : 'caller',
    acceptedFromSeconds,
  };
}

function row(
  { clock, instance }: ExchangePorts,
  about: About,
  outcome: AuditRecord['outcome'],
  rest: Partial<AuditRecord>,
): AuditRecord {
  return { at: new Date(clock()).toISOString(), instance, outcome, ...about, ...rest };
}
