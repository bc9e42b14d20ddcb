import type { Draft } from './draft.ts';
import { didYouMean } from './nearest.ts';
import type { Policy } from './schema.ts';

/** Says nothing while a tenant's own name cannot be read: it may be the one. */
export function unknownTenant(path: string, name: string | undefined, { tenants }: Draft<Policy>): string[] {
  const known = tenants?.map((tenant) => tenant?.name) ?? [undefined];
  if (name === undefined || known.includes(name) || known.includes(undefined)) return [];
  const names = known.filter((one) => one !== undefined);
  return [
    `${path}: no tenant of this policy is named "${name}"${didYouMean(name, names, `; there are ${names.join(', ')}`)}`,
  ];
}
