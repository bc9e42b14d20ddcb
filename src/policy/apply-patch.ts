/**
 * Changes of a policy, as RFC 6902 writes them: those that somebody sends, of which nothing is trusted, and those that the
 * broker proposes.
 */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';

const pointer = z
  .string()
  .max(1_024)
  .regex(/^(\/([^~/]|~[01])*)*$/, 'must be a JSON Pointer (RFC 6901)');
const value = z.unknown().refine((given) => given !== undefined, 'is missing');
export const patchShape = z.array(
  z.discriminatedUnion('op', [
    z.strictObject({ op: z.literal('add'), path: pointer, value }),
    z.strictObject({ op: z.literal('replace'), path: pointer, value }),
    z.strictObject({ op: z.literal('test'), path: pointer, value }),
    z.strictObject({ op: z.literal('remove'), path: pointer }),
    z.strictObject({ op: z.literal('move'), path: pointer, from: pointer }),
    z.strictObject({ op: z.literal('copy'), path: pointer, from: pointer }),
  ]),
);
type Operation = z.infer<typeof patchShape>[number];

/** Of its operations those that the broker proposes. */
export interface PatchOperation {
  readonly op: 'add' | 'replace';
  /** A JSON Pointer (RFC 6901); `-` is the place after the last entry of a list. */
  readonly path: string;
  readonly value: unknown;
}

export type Patched =
  | { readonly kind: 'patched'; readonly document: unknown }
  /** Each begins with the number of its operation. */
  | { readonly kind: 'unfit'; readonly problems: readonly string[] };

/** The document with the changes, all of them or none; the given one stays as it is. */
export function applyPatch(document: unknown, patch: unknown): Patched {
  const read = patchShape.safeParse(patch);
  if (!read.success)
    return {
      kind: 'unfit',
      problems: read.error.issues.map(({ path, message }) => `patch[${path.join('.')}]: ${message}`),
    };
  // A holder, so that the whole document has a place of its own too.
  const root = { document: structuredClone(document) };
  for (const [index, operation] of read.data.entries()) {
    const problem = done(root, operation);
    if (problem !== undefined) return { kind: 'unfit', problems: [`patch[${index}]: ${problem}`] };
  }
  return { kind: 'patched', document: root.document };
}

/** @returns what is wrong */
function done(root: object, operation: Operation): string | undefined {
  const place = placeOf(root, operation.path);
  if (place === undefined) return absent(operation.path);
  switch (operation.op) {
    case 'test':
      return isDeepStrictEqual(get(place), operation.value)
        ? undefined
        : `${operation.path} has another value`;
    case 'add':
      return put(place, operation.value) ? undefined : absent(operation.path);
    case 'replace':
      return get(place) === undefined || !take(place) || !put(place, operation.value)
        ? absent(operation.path)
        : undefined;
    case 'remove':
      return take(place) ? undefined : absent(operation.path);
    case 'copy':
    case 'move': {
      const from = placeOf(root, operation.from);
      const found = from && get(from);
      if (from === undefined || found === undefined) return absent(operation.from);
      if (operation.op === 'move') {
        if (`${operation.path}/`.startsWith(`${operation.from}/`) && operation.path !== operation.from)
          return `${operation.from} cannot be moved into itself`;
        take(from);
      }
      // Where something was taken out of a list, the path means another place than before.
      const target = placeOf(root, operation.path);
      return target !== undefined && put(target, structuredClone(found)) ? undefined : absent(operation.path);
    }
  }
}
const absent = (path: string): string => `${path || 'the whole policy'} is not there`;

/** A member of an object or an entry of a list, there or not. */
type Place = { readonly holder: object; readonly name: string };

function placeOf(root: object, path: string): Place | undefined {
  const names = `/document${path}`
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const name = names.pop() ?? '';
  let holder: unknown = root;
  for (const each of names) {
    if (typeof holder !== 'object' || holder === null) return undefined;
    holder = get({ holder, name: each });
  }
  return typeof holder === 'object' && holder !== null ? { holder, name } : undefined;
}

/** Only what the document itself has: `__proto__` names nothing. */
function get({ holder, name }: Place): unknown {
  if (Array.isArray(holder)) return INDEX.test(name) ? (holder as unknown[])[Number(name)] : undefined;
  return Object.hasOwn(holder, name) ? (holder as Record<string, unknown>)[name] : undefined;
}
function put({ holder, name }: Place, given: unknown): boolean {
  if (!Array.isArray(holder)) {
    Object.defineProperty(holder, name, {
      value: given,
      writable: true,
      enumerable: true,
      configurable: true,
    });
    return true;
  }
  const index = name === '-' ? holder.length : INDEX.test(name) ? Number(name) : Number.NaN;
  if (!(index <= holder.length)) return false;
  holder.splice(index, 0, given);
  return true;
}
function take({ holder, name }: Place): boolean {
  if (get({ holder, name }) === undefined) return false;
  if (Array.isArray(holder)) holder.splice(Number(name), 1);
  else Reflect.deleteProperty(holder, name);
  return true;
}
const INDEX = /^(0|[1-9]\d{0,6})$/;
