/**
 * The members that a policy uses, and those that this version of the app can read, as paths without indexes, such as
 * `grants.callers.group`. An older version of the app does not know a new member, and must not decide as if it were
 * not there.
 */
import * as z from 'zod';
import { policySchema } from './schema.ts';

/** Every path that the schema has. */
export function knownMembers(): ReadonlySet<string> {
  const known = new Set<string>();
  collect(policySchema, '', known);
  return known;
}

function collect(schema: unknown, path: string, known: Set<string>): void {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    collect(schema.unwrap(), path, known);
  else if (schema instanceof z.ZodPipe) collect(schema.in, path, known);
  else if (schema instanceof z.ZodArray) collect(schema.element, path, known);
  else if (schema instanceof z.ZodUnion) for (const option of schema.options) collect(option, path, known);
  else if (schema instanceof z.ZodObject)
    for (const [name, member] of Object.entries(schema.shape)) {
      known.add(`${path}${name}`);
      collect(member, `${path}${name}.`, known);
    }
}

/** @param source a policy as it was written, JSON */
export function usedMembers(source: unknown, path = '', used = new Set<string>()): ReadonlySet<string> {
  if (Array.isArray(source)) for (const entry of source) usedMembers(entry, path, used);
  else if (typeof source === 'object' && source !== null)
    for (const [name, value] of Object.entries(source)) {
      used.add(`${path}${name}`);
      usedMembers(value, `${path}${name}.`, used);
    }
  return used;
}
