/**
 * Why an exchange is granted or refused, and what would flip it. It decides with the exchange's own functions, prints
 * their trace, and proposes only changes that it has applied and decided again.
 */
import { type Denial, reason } from '../denial.ts';
import { iso } from '../iso.ts';
import type { CompiledPolicy } from '../policy/match.ts';
import type { Rules } from '../policy/version.ts';
import type { Caller, Revocation, Snapshot } from '../ports.ts';
import { adviceFor } from './advice.ts';
import { type Allowed, type Asked, decide, type RevokedBy, type Revoking } from './decision.ts';
import type { Explained } from './explained.ts';
import { kindOf } from './verify.ts';

/** The decisions of revocation/, which belong to another room. */
export interface Revocations {
  readonly revokedBy: RevokedBy;
  /** Every entry that refuses this caller for this resource under this grant. */
  readonly refusing: Revoking<readonly Revocation[]>;
}

/** The exchange's answer to a caller whose token is genuine and was not checked for its date. */
export function judge(
  policy: CompiledPolicy,
  revokedBy: RevokedBy,
  caller: Caller,
  asked: Asked,
  revocations: Snapshot['revocations'],
): Allowed | Denial {
  const fault =
    policy.tenantName(caller.tenantId) === undefined
      ? 'tenant'
      : kindOf(caller.kind === 'application' ? 'app' : undefined, caller.scopes, caller.appRoles);
  if (fault !== caller.kind && fault !== 'user' && fault !== 'application')
    return { kind: 'caller_unverified', fault, hint: 'unexplained' };
  return decide(policy, revokedBy, caller, asked, revocations);
}

export function explain(
  { compiled, policy }: Rules,
  { revokedBy, refusing }: Revocations,
  caller: Caller,
  asked: Asked,
  revocations: Snapshot['revocations'],
): Explained {
  const answer = judge(compiled, revokedBy, caller, asked, revocations);
  const resource = compiled.target(asked.target)?.resource;
  const options = resource === undefined ? [] : compiled.options(caller, resource, asked.tokenKind);
  const traced = resource === undefined ? [] : compiled.trace(caller, resource, asked.tokenKind);
  const grants = traced.map(({ grant, rules, kind }) => ({
    name: grant.name,
    applies: options.some((option) => option.grant === grant),
    conditions: [
      ...rules.flatMap((rule, index) => rule.map((checked) => ({ rule: index, ...checked }))),
      {
        condition: 'tokenKind' as const,
        wanted: grant.tokenKinds.filter((given) => resource?.tokenKinds.includes(given)),
        had: asked.tokenKind ?? 'any',
        met: kind !== undefined,
      },
    ],
  }));
  const under = {
    grants,
    revocations: options.flatMap(({ grant }) =>
      refusing(revocations, caller, resource?.name ?? '', grant.name).map(
        ({ scope, cutOffSeconds, blocked }) => ({
          grant: grant.name,
          scope,
          cutOff: iso(cutOffSeconds * 1000),
          blocked,
        }),
      ),
    ),
    limits: options.map(({ grant: { name, rate, maxLifetime } }) => ({
      grant: name,
      count: rate.count,
      perSeconds: rate.per / 1000,
      maxLifetimeSeconds: maxLifetime / 1000,
    })),
  };
  if ('option' in answer) {
    const { grant, kind } = answer.option;
    const advice = `The caller gets ${kind} tokens for ${answer.target.resource.name} under the grant ${grant.name}.`;
    return { outcome: 'granted', advice, grant: grant.name, tokenKind: kind, ...under };
  }
  const advice = adviceFor(answer, { asked, grants, groupOverage: caller.groupOverage === true, policy });
  return { outcome: 'refused', reason: reason(answer), advice, ...under };
}
