/** What a row of the audit adds to the record: its line in the list that is hashed, and what is counted. */
import { sha256 } from '../secret.ts';
import type { Cell } from './cell-shape.ts';
import { dayOf } from './minute.ts';
import type { AuditRow, RollUpKey } from './ports.ts';

/** Of what the row holds beside its key. */
export const digestOf = ({ count, resources, records }: AuditRow): string =>
  sha256(`${count}\n${sha256(resources)}\n${sha256(records)}`);

/** The list of rows whose SHA-256 is in the chain: a line a row, in the order of their keys. */
export const listOf = (rows: readonly { readonly key: string; readonly digest: string }[]): string =>
  [...rows]
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ key, digest }) => `${key} ${digest}\n`)
    .join('');

/** A key may hold a blank where somebody else made it; a digest holds none. */
export function readList(text: string): { readonly key: string; readonly digest: string }[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => {
    const blank = line.lastIndexOf(' ');
    return { key: line.slice(0, blank), digest: line.slice(blank + 1) };
  });
}

/** So much of an hour's use of a resource. */
export interface Counted extends Cell {
  readonly resource: string;
  /** `2026-11-26T01`, in which the row was written, as in a span of the audit. */
  readonly hour: string;
}
const HOUR_CHARACTERS = 13;
const SECOND_CHARACTERS = 19;

export const rollUpsOf = ({ resource, hour }: Counted): readonly RollUpKey[] => [
  { per: 'hour', resource, at: hour },
  { per: 'day', resource, at: dayOf(hour) },
];

/** @returns what its records count, and how many of them cannot be read */
export function countedIn(row: AuditRow): {
  readonly counted: readonly Counted[];
  readonly unreadable: number;
} {
  const hour = row.key.slice(0, HOUR_CHARACTERS);
  const writtenAtMs = Date.parse(`${row.key.slice(0, SECOND_CHARACTERS)}Z`);
  const counted: Counted[] = [];
  let unreadable = 0;
  for (const line of row.records.split('\n')) {
    const record = readRecord(line);
    if (record === undefined) unreadable += 1;
    // An act of an operator is no use of a resource.
    else if (record['act'] === undefined) counted.push({ hour, ...cellOf(record, writtenAtMs) });
  }
  return { counted, unreadable };
}

function cellOf(record: Readonly<Record<string, unknown>>, writtenAtMs: number): Cell & { resource: string } {
  const text = (name: string): string => {
    const value = record[name];
    return typeof value === 'string' ? value.slice(0, MAX_CHARACTERS) : '';
  };
  const grant = text('grant');
  // What follows the kind of a refusal is of one case, and may be the caller's own words.
  const reason = text('reason').split(':')[0] ?? '';
  const count = record['count'];
  const atMs = Date.parse(text('at'));
  const isNamed = grant !== '' || reason === 'grant_missing';
  return {
    // A name that the policy does not know is the caller's own, and there may be any number of such names.
    resource: isNamed && isResourceName(text('resource')) ? text('resource') : '',
    tenantId: text('tenantId'),
    clientId: text('clientId'),
    objectId: text('objectId'),
    grant,
    kind: text('tokenKind') || text('asked'),
    outcome: text('outcome'),
    reason,
    count: typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 1,
    lastAtMs: Number.isNaN(atMs) ? writtenAtMs : atMs,
  };
}
/**
 * As the policy writes names (policy/formats.ts). The name is part of a row's key, and no other may be: a single record
 * with a name that no key can hold would end the closing for good.
 */
const isResourceName = (text: string): boolean => /^[a-z0-9][a-z0-9-]{0,62}$/.test(text);

/** Longer than any name or id that the broker writes. */
const MAX_CHARACTERS = 100;

function readRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
