/** Warns of a valid policy that is probably a mistake. */
import { conditionalAccessWarnings } from './conditional-access.ts';
import type { Policy } from './schema.ts';
import { unknownNames } from './unknown-names.ts';

/** @returns one line for each place, with its path */
export function policyWarnings(policy: Policy): readonly string[] {
  return [...unknownNames(policy), ...conditionalAccessWarnings(policy)];
}
