/** Tamperings with a record, by chance, and what a verification must say of each: this, and nothing else. */
import { type Entry, hashOf, lineOf, readLine } from '../../src/record/entry.ts';
import type { Minute } from '../../src/record/minute.ts';
import type { AuditRow } from '../../src/record/ports.ts';
import { digestOf, listOf, readList } from '../../src/record/records-of.ts';
import type { Finding } from '../../src/record/verify.ts';
import { sha256 } from '../../src/secret.ts';
import type { Chance } from '../simulation/random.ts';
import type { Storage } from './storage.ts';
import { rowAt } from './week.ts';

type Tamper = (storage: Storage, chance: Chance) => readonly Finding[];

const minuteIn = ({ key }: { readonly key: string }): Minute => key.slice(0, 16);
const removed = (rows: readonly AuditRow[]): Finding[] =>
  rows.map((row) => ({ kind: 'row_removed', minute: minuteIn(row), row: row.key }));
const some = <T>(chance: Chance, items: readonly T[]): T => {
  const item = items[chance.between(0, items.length - 1)];
  if (item === undefined) throw new Error('there is nothing to tamper with');
  return item;
};
function removeRows(storage: Storage, rows: readonly AuditRow[]): Finding[] {
  for (const row of rows) storage.rows.delete(minuteIn(row), row.key);
  return removed(rows);
}
const linesOf = (storage: Storage, day: string): string[] =>
  (storage.blobs.get(day) ?? '').split('\n').slice(0, -1);
const putLines = (storage: Storage, day: string, lines: readonly string[]) =>
  void storage.blobs.set(day, lines.map((line) => `${line}\n`).join(''));
function entryIn(line: string | undefined): Entry {
  const entry = readLine(line ?? '');
  if (entry === 'unreadable') throw new Error('not a line of the chain');
  return entry;
}
const minuteOfLine = (line: string | undefined): Minute => entryIn(line).minute;
const daysOf = (storage: Storage): string[] => [...storage.blobs.keys()].sort();

function edited(chance: Chance, row: AuditRow): AuditRow {
  const what = chance.pick(['records', 'resources', 'count', 'character'] as const);
  if (what === 'count') return { ...row, count: row.count + 1 };
  if (what === 'resources') return { ...row, resources: `${row.resources}x ` };
  if (what === 'records')
    return { ...row, records: row.records.replace('person', 'nobody').replace('{', '{"x":1,') };
  const at = chance.between(0, row.records.length - 1);
  return { ...row, records: `${row.records.slice(0, at)}#${row.records.slice(at + 1)}` };
}

export const TAMPERINGS: Readonly<Record<string, Tamper>> = {
  'row edited': (storage, chance) => {
    const row = some(chance, storage.rows.all());
    storage.insert(edited(chance, row));
    return [{ kind: 'row_changed', minute: minuteIn(row), row: row.key }];
  },
  'row removed': (storage, chance) => removeRows(storage, [some(chance, storage.rows.all())]),
  'row inserted': (storage, chance) => {
    const near = some(chance, storage.rows.all());
    const row = rowAt(chance, Date.parse(`${minuteIn(near)}:00Z`) + chance.between(0, 59_999), 'mallory-1');
    storage.insert(row);
    return [{ kind: 'row_inserted', minute: minuteIn(row), row: row.key }];
  },
  'rows swapped': (storage, chance) => {
    const rows = storage.rows.all();
    const one = some(chance, rows);
    const other = some(
      chance,
      rows.filter((row) => digestOf(row) !== digestOf(one)),
    );
    storage.insert({ ...other, key: one.key });
    storage.insert({ ...one, key: other.key });
    const [first = '', second = ''] = [one.key, other.key].sort();
    return [{ kind: 'rows_swapped', minute: first.slice(0, 16), row: first, with: second }];
  },
  'audit truncated at its beginning': (storage, chance) => {
    const rows = storage.rows.all();
    return removeRows(storage, rows.slice(0, chance.between(1, rows.length / 2)));
  },
  'audit truncated at its end': (storage, chance) => {
    const rows = storage.rows.all();
    return removeRows(storage, rows.slice(-chance.between(1, rows.length / 2)));
  },
  'an hour of the audit gone': (storage, chance) => {
    const rows = storage.rows.all();
    const hour = some(chance, rows).key.slice(0, 13);
    return removeRows(
      storage,
      rows.filter(({ key }) => key.startsWith(hour)),
    );
  },
  'chain truncated at its beginning': (storage, chance) => {
    const [day = ''] = daysOf(storage);
    const lines = linesOf(storage, day);
    const gone = chance.between(1, lines.length - 1);
    putLines(storage, day, lines.slice(gone));
    const [from, to] = [minuteOfLine(lines[0]), minuteOfLine(lines[gone - 1])];
    return [{ kind: 'truncated', at: 'beginning', from, to }];
  },
  'chain truncated at its end': (storage, chance) => {
    const day = daysOf(storage).at(-1) ?? '';
    const lines = linesOf(storage, day);
    const left = chance.between(0, lines.length - 1);
    if (left === 0) storage.blobs.delete(day);
    else putLines(storage, day, lines.slice(0, left));
    const [from, to] = [minuteOfLine(lines[left]), minuteOfLine(lines.at(-1))];
    return [{ kind: 'truncated', at: 'end', from, to }];
  },
  'an hour of the chain gone': (storage, chance) => {
    const day = some(chance, daysOf(storage).slice(0, -1));
    const lines = linesOf(storage, day);
    const at = chance.between(1, lines.length - 61);
    putLines(storage, day, [...lines.slice(0, at), ...lines.slice(at + 60)]);
    const [from, to] = [minuteOfLine(lines[at]), minuteOfLine(lines[at + 59])];
    return [{ kind: 'entries_missing', from, to }];
  },
  'entry edited': (storage, chance) => {
    const day = some(chance, daysOf(storage));
    const lines = linesOf(storage, day);
    const at = chance.between(0, lines.length - 1);
    const entry = entryIn(lines[at]);
    const { minute } = entry;
    const isReadable = chance.is(0.7);
    const other = sha256(String(chance.next()));
    const changes = chance.pick<Partial<Entry>>([
      { digest: other },
      { rows: entry.rows + 1 },
      { previous: other },
      { at: '2026-11-20T00:00:00.000Z' },
      { late: [], digest: other },
      { sequence: entry.sequence + 7 },
      { minute: '2027-01-01T00:00' },
    ]);
    const isPlaced = changes.sequence === undefined && changes.minute === undefined;
    lines[at] = isReadable ? lineOf({ ...entry, ...changes }) : 'nothing that can be read';
    putLines(storage, day, lines);
    const isLast = at === lines.length - 1 && isReadable && isPlaced;
    return [isLast ? { kind: 'blob_rewritten', day, minute } : { kind: 'entry_changed', minute }];
  },
  'entries swapped': (storage, chance) => {
    const day = some(chance, daysOf(storage));
    const lines = linesOf(storage, day);
    const at = chance.between(0, lines.length - 2);
    const to = chance.between(at + 1, lines.length - 1);
    const minutes = [minuteOfLine(lines[at]), minuteOfLine(lines[to])];
    [lines[at], lines[to]] = [lines[to] ?? '', lines[at] ?? ''];
    putLines(storage, day, lines);
    return [{ kind: 'entries_moved', minutes }];
  },
  'line inserted': (storage, chance) => {
    const day = some(chance, daysOf(storage));
    const lines = linesOf(storage, day);
    const at = chance.between(0, lines.length);
    const copy = entryIn(some(chance, lines));
    const foreign = chance.is(0.5) ? 'a line of somebody else' : lineOf({ ...copy, digest: sha256('else') });
    putLines(storage, day, [...lines.slice(0, at), foreign, ...lines.slice(at)]);
    return [{ kind: 'line_inserted', day, line: at + 1 }];
  },
  'a row removed, its list and its blob rewritten': (storage, chance) => {
    const row = some(chance, storage.rows.all());
    removeRows(storage, [row]);
    const list = storage.lists.all().find(({ text }) => readList(text).some(({ key }) => key === row.key));
    if (list === undefined) throw new Error('the row is in no list');
    const text = listOf(readList(list.text).filter(({ key }) => key !== row.key));
    storage.lists.set(list.minute, String(list.sequence).padStart(12, '0'), { ...list, text });
    const part = (one: { minute: Minute; rows: number; digest: string }) =>
      one.minute === list.minute ? { minute: one.minute, rows: one.rows - 1, digest: sha256(text) } : one;
    for (const day of daysOf(storage)) {
      const lines = linesOf(storage, day);
      if (!lines.some((line) => entryIn(line).sequence === list.sequence)) continue;
      let previous = entryIn(lines[0]).previous;
      const rewritten = lines.map((line) => {
        const entry = entryIn(line);
        const isIt = entry.sequence === list.sequence;
        const now = isIt ? { ...entry, ...part(entry), late: entry.late.map(part) } : entry;
        const written = lineOf({ ...now, previous });
        previous = hashOf(written);
        return written;
      });
      putLines(storage, day, rewritten);
      return [{ kind: 'blob_rewritten', day, minute: minuteOfLine(lines.at(-1)) }];
    }
    throw new Error('the list is of no entry');
  },
  'a row removed, and from its list': (storage, chance) => {
    const lists = storage.lists.all();
    const list = some(chance, lists);
    const gone = some(chance, readList(list.text));
    storage.rows.delete(list.minute, gone.key);
    const text = listOf(readList(list.text).filter(({ key }) => key !== gone.key));
    storage.lists.set(list.minute, String(list.sequence).padStart(12, '0'), { ...list, text });
    return [{ kind: 'minute_changed', minute: list.minute }];
  },
  'cursor put back': (storage, chance) => {
    const lines = daysOf(storage).flatMap((day) => linesOf(storage, day));
    const at = chance.between(0, lines.length - 62);
    const line = lines[at] ?? '';
    const { sequence, minute, removedBefore } = entryIn(line);
    const value = { sequence, hash: hashOf(line), minute, position: 0, removedBefore };
    storage.cursor = { value, etag: storage.etag() };
    return [{ kind: 'cursor_behind', from: minuteOfLine(lines[at + 1]), to: minuteOfLine(lines.at(-1)) }];
  },
  'cursor removed': (storage) => {
    storage.cursor = undefined;
    return [{ kind: 'cursor_missing' }];
  },
  'list changed': (storage, chance) => {
    const list = some(chance, storage.lists.all());
    const text = `${list.text}${list.text}`;
    storage.lists.set(list.minute, String(list.sequence).padStart(12, '0'), { ...list, text });
    return [{ kind: 'list_changed', minute: list.minute }];
  },
};
