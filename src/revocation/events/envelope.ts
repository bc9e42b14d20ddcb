/**
 * Reads an event as it arrives, in the Event Grid schema or as a CloudEvent. It ignores the case of names and blanks
 * around them, because Azure's own pages disagree about both. Nothing in an event is trusted. Its texts must not be
 * compared with the text that was sent, because the Functions host rewrites everything that looks like a date.
 */

import { type Invalid, invalid } from '../../invalid.ts';

/** An object's members by their trimmed, lower-cased name. If two names become the same, the first one counts. */
export type Members = ReadonlyMap<string, unknown>;

export interface Envelope {
  readonly id: string;
  readonly type: string;
  /** The `topic` (Event Grid schema) or `source` (CloudEvents): who the sender says it is, not verified. */
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

/** The object with these members, spelled as in `names`, and without any others. */
export function respell(value: unknown, names: readonly string[]): unknown {
  const members = value instanceof Map ? (value as Members) : readMembers(value);
  if (members === undefined) return value;
  return Object.fromEntries(
    names.map((name) => [name, members.get(name.toLowerCase())]).filter(([, member]) => member !== undefined),
  );
}

/** A member's text, trimmed; undefined when it is not a text, is blank or is too long. */
export function text(members: Members, name: string): string | undefined {
  const value = members.get(name.toLowerCase());
  if (typeof value !== 'string' || value.length > MAX_TEXT) return undefined;
  return value.trim() || undefined;
}

/**
 * Describes an event that could not be used, for the record: the names and types of its members and no values,
 * because any value may be a secret. Example: Graph events contain the `clientState` of their subscription.
 */
export function shape(value: unknown, depth = 3): string {
  if (Array.isArray(value)) return `[${value.length}]`;
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  if (depth === 0) return '{…}';
  const members = Object.entries(value).slice(0, 20);
  const described = members.map(([name, member]) => `${name.slice(0, 40)}: ${shape(member, depth - 1)}`);
  return `{ ${described.join(', ')} }`.slice(0, MAX_TEXT);
}
