import type { Draft } from './draft.ts';
import { didYouMean } from './nearest.ts';
import type { Policy } from './schema.ts';

/** The tenants by whose names the rest of a policy is checked, made once. */
export interface Tenants {
  readonly names: ReadonlySet<string>;
  /** A tenant whose own name cannot be read may be the one that is meant. */
  readonly isComplete: boolean;
}
export function tenantsOf({ tenants }: Draft<Policy>): Tenants {
  const known = tenants?.map((tenant) => tenant?.name) ?? [undefined];
  const names = known.filter((one) => one !== undefined);
  return { names: new Set(names), isComplete: names.length === known.length };
}

export function unknownTenant(
  path: string,
  name: string | undefined,
  { names, isComplete }: Tenants,
): string[] {
  if (name === undefined || names.has(name) || !isComplete) return [];
  const all = [...names];
  return [
    `${path}: no tenant of this policy is named "${name}"${didYouMean(name, all, `; there are ${all.join(', ')}`)}`,
  ];
}
