/** The rules of a policy that a schema cannot express: each member is right by itself, and they do not fit. */
import { type Draft, placed } from './draft.ts';
import { duplicates } from './duplicates.ts';
import { grantProblems, resourcesOf } from './grant-rules.ts';
import { resourceProblems } from './resource-rules.ts';
import type { Policy } from './schema.ts';
import { tenantsOf, unknownTenant } from './unknown-tenant.ts';

/** @returns every problem with its path */
export function ruleProblems(policy: Draft<Policy>): string[] {
  const [resources, tenants] = [resourcesOf(policy), tenantsOf(policy)];
  return [
    ...duplicates(policy),
    ...placed('resources', policy.resources).flatMap(({ place, entry }) => resourceProblems(place, entry)),
    ...placed('grants', policy.grants).flatMap(({ place, entry }) =>
      grantProblems(place, entry, tenants, resources),
    ),
    ...placed('transmitters', policy.transmitters).flatMap(({ place, entry }) =>
      (entry.tenants ?? []).flatMap((tenant, index) =>
        unknownTenant(`${place}.tenants[${index}]`, tenant, tenants),
      ),
    ),
  ];
}
