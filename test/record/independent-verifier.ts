/**
 * Verifies an export of the audit by infra/PROOF.md, with nothing of this program: `independent-verifier.ts FILE [HASH]`.
 * Exit 1 and a line for each thing that is wrong. HASH was kept earlier: it must still be in the chain.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

interface Part {
  readonly minute: string;
  readonly rows: number;
  readonly digest: string;
}
interface Entry extends Part {
  readonly sequence: number;
  readonly previous: string;
  readonly at: string;
  readonly late: readonly Part[];
  readonly removedBefore: string;
}
interface Row {
  readonly key: string;
  readonly count: number;
  readonly resources: string;
  readonly records: string;
}
interface Line {
  readonly span?: { readonly first: string; readonly last: string };
  readonly cursor?: { readonly sequence: number; readonly hash: string; readonly minute: string };
  readonly entry?: string;
  readonly line?: string;
  readonly list?: { readonly minute: string; readonly sequence: number; readonly text: string };
  readonly row?: Row;
}

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** @returns what is wrong, a line each; nothing: all rows of the span are as they were when they were closed */
export function verifyExport(text: string, keptHash?: string): string[] {
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map((line): Line => JSON.parse(line));
  const head = lines[0];
  if (head?.span === undefined) return ['this is no export'];
  if (head.cursor === undefined) return ['nothing is closed yet'];
  const wrong: string[] = [];
  const { first, last } = head.span;
  const { cursor, entry: counted = '' } = head;
  if (sha256(counted) !== cursor.hash)
    wrong.push(`${cursor.minute}: the last counted entry is not in the chain`);
  // The chain: each line follows the one before it, and the cursor's entry is among them.
  const entries = new Map<string, Entry>();
  const hashes = new Set<string>();
  let before: { readonly sequence: number; readonly hash: string } | undefined;
  for (const { line } of lines) {
    if (line === undefined) continue;
    const entry: Entry = JSON.parse(line);
    const hash = sha256(line);
    if (before !== undefined && (entry.sequence !== before.sequence + 1 || entry.previous !== before.hash))
      wrong.push(`${entry.minute}: the entry does not follow the one before it`);
    before = { sequence: entry.sequence, hash };
    hashes.add(hash);
    const isCounted = entry.sequence !== cursor.sequence || hash === cursor.hash;
    if (!isCounted) wrong.push(`${entry.minute}: is not the counted entry`);
    if (entry.sequence <= cursor.sequence) entries.set(entry.minute, entry);
  }
  if ((before?.sequence ?? 0) > cursor.sequence + 60) wrong.push(`${cursor.minute}: the cursor was put back`);
  if (keptHash !== undefined && !hashes.has(keptHash)) wrong.push('the kept hash is not in the chain');
  // The rows: of each part of a minute, the list has the digest, and the rows have the list's.
  const expected = new Map<string, string>();
  const lists = new Map(lines.map(({ list }) => [`${list?.minute} ${list?.sequence}`, list?.text ?? '']));
  const removedBefore =
    [...entries.values()]
      .map((entry) => entry.removedBefore)
      .sort()
      .at(-1) ?? '';
  for (const entry of entries.values())
    for (const { minute, rows, digest } of [entry, ...entry.late]) {
      if (minute < first || minute > last || minute < removedBefore) continue;
      const list = lists.get(`${minute} ${entry.sequence}`) ?? '';
      if (sha256(list) !== digest)
        wrong.push(`${minute}: the list of its ${rows} rows is not the one of the chain`);
      for (const named of list.split('\n').filter(Boolean)) {
        const blank = named.lastIndexOf(' ');
        expected.set(named.slice(0, blank), named.slice(blank + 1));
      }
    }
  for (const { row } of lines) {
    if (row === undefined) continue;
    const { key, count, resources, records } = row;
    const minute = key.slice(0, 16);
    const digest = sha256(`${count}\n${sha256(resources)}\n${sha256(records)}`);
    const was = expected.get(key);
    expected.delete(key);
    // A row that no entry names yet may still be closed as late for 25 hours.
    const mayBeLate = Date.parse(`${cursor.minute}Z`) - Date.parse(`${minute}Z`) < 25 * 3_600_000;
    if (was === undefined && !mayBeLate && minute >= removedBefore)
      wrong.push(`${minute}: row ${key} was inserted`);
    else if (was !== undefined && was !== digest) wrong.push(`${minute}: row ${key} was changed`);
  }
  for (const key of expected.keys()) wrong.push(`${key.slice(0, 16)}: row ${key} was removed`);
  // The chain begins with sequence 1.
  const begin = [...entries.values()].find(({ sequence }) => sequence === 1)?.minute ?? '';
  const from = begin > first ? begin : first;
  const closed = Math.min(Date.parse(`${last}Z`), Date.parse(`${cursor.minute}Z`));
  for (let at = Date.parse(`${from}Z`); at <= closed; at += 60_000) {
    const minute = new Date(at).toISOString().slice(0, 16);
    if (!entries.has(minute)) wrong.push(`${minute}: has no entry`);
  }
  return wrong;
}

if (import.meta.main) {
  const [file = '', keptHash] = process.argv.slice(2);
  const wrong = verifyExport(readFileSync(file, 'utf8'), keptHash);
  for (const what of wrong) console.log(what);
  console.log(wrong.length === 0 ? 'as it was closed' : `${wrong.length} things are wrong`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
