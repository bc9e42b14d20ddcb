import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createExportReader, exportPage, gather } from '../../src/record/export.ts';
import type { Minute } from '../../src/record/minute.ts';
import { proofPage } from '../../src/record/proof-page.ts';
import { verify } from '../../src/record/verify.ts';
import { createChance } from '../simulation/random.ts';
import { verifyExport } from './independent-verifier.ts';
import { portsTo, type Storage } from './storage.ts';
import { TAMPERINGS } from './tamper.ts';
import { copyOf, tamperTrials } from './tamper-trials.ts';
import { liveThrough } from './week.ts';

const first = '2026-11-20T06:00';
const last = '2026-11-20T12:00';
let whole: Storage;
before(async () => {
  const lived = await liveThrough(createChance(5), { days: 0.15, rowsAnHour: 60, strike: 0.05 });
  whole = lived.storage;
});

/** From the chain's first minute to the span's last one. */
const closedMinutes = (): number =>
  (whole.blobs.get('2026-11-20') ?? '')
    .split('\n')
    .filter((line) => line !== '' && JSON.parse(line).minute <= last).length;

/** @param most minutes a page, so that there are many */
async function exported(storage: Storage, most = 7): Promise<{ pages: number; lines: string[] }> {
  const lines: string[] = [];
  let pages = 0;
  for (let after: Minute | undefined, isMore = true; isMore; isMore = after !== undefined) {
    let left = most;
    const page = await exportPage(portsTo(storage), { first, last, after }, () => --left < 0);
    lines.push(...page.lines);
    after = page.next;
    pages += 1;
  }
  return { pages, lines };
}

test('an export in pages is the export in one, and a program that imports nothing of this one verifies it', async () => {
  const one = await exported(whole, Number.POSITIVE_INFINITY);
  const many = await exported(whole);
  assert.equal(one.pages, 1);
  assert.ok(many.pages > 3, `${many.pages} pages`);
  const isNoHead = (line: string) => !line.startsWith('{"span"');
  assert.deepEqual(many.lines.filter(isNoHead), one.lines.filter(isNoHead));
  assert.deepEqual(verifyExport(one.lines.join('\n')), []);
  assert.deepEqual(verifyExport(many.lines.join('\n'), whole.cursor?.value.hash), []);
  assert.deepEqual(verifyExport(many.lines.join('\n'), 'f'.repeat(64)), [
    'the kept hash is not in the chain',
  ]);
});

test('what an export is verified from is what the storage is verified from', async () => {
  const reader = createExportReader();
  const { lines } = await exported(whole);
  for (const line of lines) assert.equal(reader.take(line), 'taken');
  assert.deepEqual(reader.evidence(), await gather(portsTo(whole), first, last));
  assert.equal(reader.take('{"row":{"key":1}}'), 'unreadable');
  const { findings, minutes, rows, late } = verify(reader.evidence());
  assert.deepEqual(findings, []);
  assert.equal(minutes, closedMinutes());
  assert.equal(rows, whole.rows.all().length);
  assert.ok(
    late.length > 0 && late.every(({ delaySeconds = 0 }) => delaySeconds > 180 && delaySeconds < 26 * 3_600),
  );
});

test('every tampering is seen in the export by the program that imports nothing of this one too', async () => {
  for (const [what, tamper] of Object.entries(TAMPERINGS)) {
    const storage = copyOf(whole);
    tamper(storage, createChance(3));
    const { lines } = await exported(storage);
    let wrong: string[];
    try {
      wrong = verifyExport(lines.join('\n'));
    } catch {
      wrong = ['a line is no JSON'];
    }
    assert.notDeepEqual(wrong, [], what);
  }
});

test('tamperings by chance are all found and named, and an untouched record raises no alarm', async () => {
  const { tamperings, falseAlarms, lateRows, wrong } = await tamperTrials(Object.keys(TAMPERINGS).length, 7);
  assert.deepEqual(wrong, []);
  assert.equal(falseAlarms, 0);
  assert.ok(lateRows > 0);
  assert.deepEqual(Object.keys(tamperings), Object.keys(TAMPERINGS));
});

test('a row that is inserted while its minute is still looked at again is reported as late, not as forged', async () => {
  const storage = copyOf(whole);
  const [row] = storage.rows.all();
  assert.ok(row !== undefined && storage.cursor !== undefined);
  const { minute } = storage.cursor.value;
  const recent = minute.replace(/..$/, '00');
  const key = `${recent}:01.000Z-mallory-1`;
  storage.insert({ ...row, key });
  const { findings, late } = verify(await gather(portsTo(storage), recent, recent));
  assert.deepEqual(findings, []);
  assert.deepEqual(late, [{ minute: recent, row: key }]);
});

test('the entries of a span come in pages, with where the chain is', async () => {
  const all = await proofPage(portsTo(whole), { first, last, after: undefined }, 1_000);
  assert.equal(all.items.length, closedMinutes());
  assert.equal(all.next, undefined);
  assert.equal(all.closedThrough, whole.cursor?.value.minute);
  const some: unknown[] = [];
  for (let after: Minute | undefined, isMore = true; isMore; isMore = after !== undefined) {
    const page = await proofPage(portsTo(whole), { first, last, after }, 100);
    some.push(...page.items);
    after = page.next;
  }
  assert.deepEqual(some, all.items);
});
