/**
 * Stands in for src/policy/match.ts in a run of `npm run shadow`: every policy is compiled with its negation in shadow.
 * Its URL says which half: `denies`, where nobody fulfils what each rule tries, so that the shadow would deny
 * whoever is granted; or `grants`, where each grant has a twin in shadow that every caller fulfils, so that the shadow
 * would grant to whoever is denied.
 */
import { type CompiledPolicy, compilePolicy as compileAsWritten } from '../../src/policy/match.ts';
import type { Grant, Policy } from '../../src/policy/schema.ts';

export * from '../../src/policy/match.ts';

/** No application has this id. */
const NOBODY = 'ffffffff-ffff-4fff-bfff-ffffffffffff';

export function compilePolicy(policy: Policy): CompiledPolicy {
  if (new URL(import.meta.url).search === '?grants')
    return compileAsWritten({
      ...policy,
      grants: [...policy.grants, ...policy.grants.map((grant) => twinFor(grant, policy))],
    });
  // In place, since who reads the policy beside its compiled form compares grants by identity.
  for (const { callers } of policy.grants)
    for (const rule of callers) rule.shadow = { ...rule.shadow, clientId: NOBODY };
  return compileAsWritten(policy);
}

/** Its rules name only a tenant, which no policy that is loaded from a file may do. */
const twinFor = (grant: Grant, { tenants }: Policy): Grant => ({
  ...grant,
  name: `${grant.name}-tried`,
  shadow: true,
  callers: tenants.map(({ name }) => ({ tenant: name })),
});
