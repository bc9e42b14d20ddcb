/**
 * One exchange: it verifies the caller, finds the grants that apply and checks the revocations; `hand-out.ts` obtains a
 * token, writes the audit record and returns the token. Neither knows HTTP or Azure.
 */

import type { Denial } from '../denial.ts';
import { isOfStranger, reason } from '../denial.ts';
import { cleanTarget } from '../policy/asked-for.ts';
import type { Option, Target } from '../policy/match.ts';
import { type PolicyVersion, shortVersion } from '../policy/version.ts';
import type { Caller, Snapshot } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { recordedClaims } from './claims.ts';
import { type Asked, isEntraRefusal, isPreferred, revokedUnder, shadowOf, unfitFor } from './decision.ts';
import {
  type About,
  type Answer,
  type Granted,
  type HandOutPorts,
  handOut,
  isUnder,
  MAX_ROUNDS,
  row,
} from './hand-out.ts';
import type { Rate } from './rate.ts';
import type { VerifyCaller } from './verify.ts';

export interface ExchangeRequest extends Asked {
  readonly subjectToken: string;
  /** `audience`, where `resource` names the target: it must be a name of the same account. */
  readonly alsoNamed?: string;
}
/**
 * @param request what was asked, or the denial that reading it ended in
 * @throws UpstreamFailure when anything it depends on is out of reach: neither a grant nor a denial
 */
export type Exchange = (
  request: ExchangeRequest | Denial,
  correlationId: string,
) => Promise<Granted | Denial>;

export interface ExchangePorts extends HandOutPorts {
  readonly verify: VerifyCaller;
  readonly rate: Rate;
  /** Counts a refusal of somebody unverified: it is recorded later and in bulk, and nothing waits for that. */
  readonly refusedStranger: (reason: string, correlationId: string, resource: string | undefined) => void;
}

export function createExchange(ports: ExchangePorts): Exchange {
  return async (request, correlationId) => {
    if ('kind' in request) return refused(ports, request, { correlationId }, undefined);
    const caller = await ports.verify(request.subjectToken);
    if (!('objectId' in caller)) return refused(ports, caller, { correlationId }, request.target);
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const { rules } = ports.freshness.known() ?? (await ports.freshness.fresh());
      const about: About = { correlationId, policy: shortVersion(rules.version) };
      const answer = await exchanged(ports, rules, request, caller, about);
      if (answer === 'policy_changed') continue;
      if ('token' in answer) return answer;
      // The policy may have changed since the last look, and the new one may grant.
      if (isUnder(rules, await ports.freshness.fresh())) return refused(ports, answer, about, request.target);
    }
    throw new UpstreamFailure('tables', 'the policy keeps changing');
  };
}

async function refused(
  ports: ExchangePorts,
  denial: Denial,
  about: About,
  target: string | undefined,
): Promise<Denial> {
  if (!isOfStranger(denial)) {
    await ports.audit.append(row(ports, about, 'refused', { reason: reason(denial) }));
    return denial;
  }
  const recordedAs = ports.freshness.known()?.rules.compiled.recordedAs ?? cleanTarget;
  const resource = target === undefined ? undefined : recordedAs(target);
  ports.refusedStranger(reason(denial), about.correlationId, resource);
  return denial;
}

async function exchanged(
  ports: ExchangePorts,
  rules: PolicyVersion,
  request: ExchangeRequest,
  caller: Caller,
  about: About,
): Promise<Answer> {
  const policy = rules.compiled;
  about.tenantId = caller.tenantId;
  about.clientId = caller.clientId;
  about.objectId = caller.objectId;
  about.uti = caller.uti;
  about.claims = recordedClaims(policy, caller);
  if (request.tokenKind !== undefined) about.asked = request.tokenKind;
  const target = policy.target(request.target);
  if (
    request.alsoNamed !== undefined &&
    (target === undefined || policy.target(request.alsoNamed)?.resource !== target.resource)
  ) {
    about.resource = policy.recordedAs(request.target);
    return { kind: 'targets_differ' };
  }
  if (target === undefined) {
    about.resource = policy.recordedAs(request.target);
    return { kind: 'target_unknown', target: request.target };
  }
  about.resource = target.resource.name;
  const shadow = shadowOf(policy, target, caller, request);
  if (shadow !== undefined) about.shadow = [shadow];
  const options = policy.options(caller, target.resource, request.tokenKind);
  // `decide` in decision.ts is the same loop, without what only happens here.
  let refusal: Denial | undefined;
  for (const option of options) {
    const under = { ...about, grant: option.grant.name, tokenKind: option.kind };
    const answer =
      unfitFor(option, target, caller, request) ??
      (await exchangeUnder(ports, rules, option, target, caller, under));
    if (answer === 'policy_changed' || 'token' in answer) return answer;
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
  rules: PolicyVersion,
  option: Option,
  target: Target,
  caller: Caller,
  about: About,
): Promise<Answer> {
  const { grant } = option;
  const revoked = ({ revocations }: Snapshot) =>
    revokedUnder(ports.revokedBy, option, target, caller, revocations);

  let snapshot = ports.freshness.known() ?? (await ports.freshness.fresh());
  // The cached snapshot may hold a revocation that was lifted meanwhile, so a refusal needs a fresh one too.
  if (revoked(snapshot) !== undefined) snapshot = await ports.freshness.fresh();
  if (!isUnder(rules, snapshot)) return 'policy_changed';
  const refusal = revoked(snapshot);
  if (refusal !== undefined) return refusal;
  const bucket = `${grant.name} ${caller.tenantId} ${caller.objectId} ${caller.clientId}`;
  const waitMs = ports.rate.take(bucket, grant.rate, ports.clock());
  if (waitMs > 0)
    return { kind: 'rate_limited', grant: grant.name, retryAfterSeconds: Math.ceil(waitMs / 1000) };
  try {
    const answer = await handOut(ports, rules, option, target, caller, about, snapshot);
    if (answer === 'policy_changed') ports.rate.giveBack(bucket);
    return answer;
  } catch (error) {
    ports.rate.giveBack(bucket);
    throw error;
  }
}
