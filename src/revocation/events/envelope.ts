/**
 * One event as it arrives, in the Event Grid schema or as a CloudEvent, read tolerantly: Azure's own pages
 * disagree on casing, blanks in names and types. Nothing in it is trusted; what it says is read again where
 * it can be. Compare no text of it: the Functions host rewrites what looks like a date.
 */

import { type Invalid, invalid } from '../../invalid.ts';

/** An object's members by lower-cased, trimmed name. Of two that fall together the first wins. */
export type Members = ReadonlyMap<string, unknown>;

export interface Envelope {
  readonly id: string;
  readonly type: string;
  /** The topic (Event Grid schema) or source (CloudEvents): who says it, unproven. */
  readonly source: string;
  readonly subject: string;
  readonly data: Members;
}

const MAX_TEXT = 2_048;

export function readEnvelope(event: unknown): Envelope | Invalid {
  const members = readMembers(event);
  if (members === undefined) return invalid('the event is not an object');
  const id = text(members, 'id');
  const type = text(members, 'eventType') ?? text(members, 'type');
  if (id === undefined) return invalid('the event has no id');
  if (type === undefined) return invalid('the event has no type');
  return {
    id,
    type,
    source: text(members, 'topic') ?? text(members, 'source') ?? '',
    subject: text(members, 'subject') ?? '',
    data: readMembers(members.get('data')) ?? new Map(),
  };
}

export function readMembers(value: unknown): Members | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const members = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const folded = name.trim().toLowerCase();
    if (!members.has(folded)) members.set(folded, member);
  }
  return members;
}

/** The same value with these members under these spellings; members of other names are left out. */
export function respell(value: unknown, names: readonly string[]): unknown {
  const members = value instanceof Map ? (value as Members) : readMembers(value);
  if (members === undefined) return value;
  return Object.fromEntries(
    names.map((name) => [name, members.get(name.toLowerCase())]).filter(([, member]) => member !== undefined),
  );
}

/** A member that is a text with something in it, trimmed, and not absurdly long. */
export function text(members: Members, name: string): string | undefined {
  const value = members.get(name.toLowerCase());
  if (typeof value !== 'string' || value.length > MAX_TEXT) return undefined;
  return value.trim() || undefined;
}

/**
 * What may be kept of an event that could not be used: names and types of its members, never a value, since
 * any of them may be a secret (Graph events carry their subscription's clientState in clear).
 */
export function shape(value: unknown, depth = 3): string {
  if (Array.isArray(value)) return `[${value.length}]`;
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  if (depth === 0) return '{…}';
  const members = Object.entries(value).slice(0, 20);
  const described = members.map(([name, member]) => `${name.slice(0, 40)}: ${shape(member, depth - 1)}`);
  return `{ ${described.join(', ')} }`.slice(0, MAX_TEXT);
}
