/**
 * The decision of an exchange: whether this caller may have a token for this target. Pure. The exchange decides with
 * these functions, and whoever explains or predicts a decision calls the same ones. What they do not know is what only
 * happens in an exchange: the rate, Entra's own refusal, and the life of the token that was bought.
 */
import type { Denial } from '../denial.ts';
import type { CompiledPolicy, Option, Target } from '../policy/match.ts';
import { isPerson } from '../policy/person.ts';
import type { Caller, Refusal, Snapshot } from '../ports.ts';
import { ACTS_AS, type TokenKind } from '../token-kind.ts';
import { meansScopeOf } from './scope-spelling.ts';

/** What a caller asks for. */
export interface Asked {
  /** An endpoint URL, or a resource's name in the policy. */
  readonly target: string;
  /** Absent: the first kind of the grant. */
  readonly tokenKind: TokenKind | undefined;
  readonly scope: string | undefined;
}

/** What the revocations say of a caller who asks for a resource under a grant. */
export type Revoking<Answer> = (
  revocations: Snapshot['revocations'],
  caller: Caller,
  resource: string,
  grant: string,
) => Answer;
export type RevokedBy = Revoking<Refusal | undefined>;

/** The grant under which the exchange goes on to the rate and to a token. */
export interface Allowed {
  readonly target: Target;
  readonly option: Option;
}

export function decide(
  policy: CompiledPolicy,
  revokedBy: RevokedBy,
  caller: Caller,
  asked: Asked,
  revocations: Snapshot['revocations'],
): Allowed | Denial {
  const target = policy.target(asked.target);
  if (target === undefined) return { kind: 'target_unknown', target: asked.target };
  let refusal: Denial | undefined;
  for (const option of policy.options(caller, target.resource, asked.tokenKind)) {
    const answer =
      unfitFor(option, target, caller, asked) ?? revokedUnder(revokedBy, option, target, caller, revocations);
    if (answer === undefined) return { target, option };
    if (isPreferred(answer, refusal)) refusal = answer;
  }
  return refusal ?? { kind: 'grant_missing', resource: target.resource.name };
}

/**
 * What would have been decided if the shadowed part of the policy were in force, where that is another decision; as the
 * audit says it.
 */
export function shadowOf(
  policy: CompiledPolicy,
  target: Target,
  caller: Caller,
  asked: Asked,
): string | undefined {
  if (policy.enforced === undefined) return undefined;
  const under = ({ options }: CompiledPolicy): Option | undefined =>
    options(caller, target.resource, asked.tokenKind).find(
      (option) => unfitFor(option, target, caller, asked) === undefined,
    );
  const [now, then] = [under(policy), under(policy.enforced)];
  if (now !== undefined && then === undefined) return `would-have-denied ${now.grant.name}`;
  if (now === undefined && then !== undefined) return `would-have-granted ${then.grant.name}`;
  return undefined;
}

/** Why what was asked for cannot be had under this grant, whatever is revoked. */
export function unfitFor(
  { kind }: Option,
  target: Target,
  caller: Caller,
  { scope }: Asked,
): Denial | undefined {
  const { resource } = target;
  if (scope !== undefined && !meansScopeOf(target, scope)) return { kind: 'scope_unsupported' };
  if (ACTS_AS[kind] === 'caller' && !isPerson(caller))
    return { kind: 'user_required', resource: resource.name };
  return undefined;
}

export function revokedUnder(
  revokedBy: RevokedBy,
  { grant }: Option,
  { resource }: Target,
  caller: Caller,
  revocations: Snapshot['revocations'],
): Denial | undefined {
  const refusal = revokedBy(revocations, caller, resource.name, grant.name);
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

/**
 * Each grant that applies is tried in turn, and when none of them gives a token the caller gets the first refusal. Two
 * refusals take the place of an earlier one: Entra's own, and one that tells the caller how to go on, because one grant
 * is blocked for this caller and under the other a newer caller token would be accepted.
 */
export function isPreferred(answer: Denial, earlier: Denial | undefined): boolean {
  if (earlier === undefined || isEntraRefusal(answer)) return true;
  return (
    earlier.kind === 'revoked' &&
    earlier.acceptedFromSeconds === undefined &&
    answer.kind === 'revoked' &&
    answer.acceptedFromSeconds !== undefined
  );
}

/** Entra refused to act for this user (Conditional Access or consent). No other grant may get around that. */
export const isEntraRefusal = ({ kind }: Denial): boolean =>
  kind === 'interaction_required' || kind === 'obo_refused';
