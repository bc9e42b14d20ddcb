import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeBooks } from '../../src/record/close.ts';
import { beginOf } from '../../src/record/minute.ts';
import { SETTLED_AFTER_MS } from '../../src/record/settled.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { createChance } from '../simulation/random.ts';
import { differences, fullCount, rolledUp } from './full-count.ts';
import { weekTrial } from './rollup-trials.ts';
import { Crash, portsTo, STRIKES, Storage, type Strike } from './storage.ts';
import { rowAt } from './week.ts';

const BEGIN = beginOf('2026-11-20T23:50');
const MINUTE_MS = 60_000;
const all = { auditDays: 90, holdFromMs: undefined };

/** Rows of twenty minutes around midnight. */
function filled(seed: number): Storage {
  const storage = new Storage();
  const chance = createChance(seed);
  for (let index = 0; index < 40; index += 1)
    storage.insert(rowAt(chance, BEGIN + chance.between(0, 20 * MINUTE_MS), `alpha-${index}`));
  return storage;
}
const close = (
  storage: Storage,
  nowMs: number,
  step?: (operation: string) => Promise<Strike>,
  keep: Parameters<typeof closeBooks>[0]['keep'] = all,
) =>
  closeBooks({
    ...portsTo(storage, step),
    clock: () => nowMs,
    log: (event) => assert.fail(event),
    keep,
    isOver: () => false,
  });
const texts = ({ blobs }: Storage) => [...blobs];

test('roll-ups equal a full count over days by chance, with two closers, crashes, lost answers and outages', async () => {
  const trial = await weekTrial(1, { days: 1.5, rowsAnHour: 60, strike: 0.05 });
  assert.deepEqual(trial.differ, []);
  assert.equal(trial.misplaced, 0);
  assert.ok(trial.isOneChain);
  assert.ok(trial.strikes > 1_000 && trial.late > 10, JSON.stringify(trial));
});

test('a closer that dies, fails or hears no answer at any one step leaves what the next one brings to the same end', async () => {
  const nowMs = BEGIN + 3_600_000;
  const expected = filled(1);
  let steps = 0;
  await close(expected, nowMs, async () => {
    steps += 1;
    return undefined;
  });
  assert.ok(steps > 50);
  for (let at = 1; at <= steps; at += 1)
    for (const strike of STRIKES) {
      const storage = filled(1);
      let step = 0;
      const struck = close(storage, nowMs, async () => {
        step += 1;
        return step === at ? strike : undefined;
      });
      await struck.catch((error) => assert.ok(error instanceof Crash || error instanceof UpstreamFailure));
      await close(storage, nowMs);
      assert.deepEqual(texts(storage), texts(expected), `${strike} at ${at}`);
      assert.deepEqual(differences(rolledUp(expected), rolledUp(storage)), [], `${strike} at ${at}`);
      // What is left of a closer that died is removed with the next rows.
      storage.insert(rowAt(createChance(1), nowMs, 'alpha-last'));
      await close(storage, nowMs + 3_600_000);
      assert.equal(storage.drafts.size, 0, `${strike} at ${at}`);
    }
});

test('a minute is closed three minutes after its end, and not before', async () => {
  const storage = filled(1);
  const end = beginOf('2026-11-20T23:51');
  await close(storage, end + SETTLED_AFTER_MS - 1);
  assert.equal(storage.cursor?.value.minute, '2026-11-20T23:49');
  assert.equal((await close(storage, end + SETTLED_AFTER_MS)).closed, 1);
  assert.equal(storage.cursor?.value.minute, '2026-11-20T23:50');
  assert.equal((await close(storage, end + SETTLED_AFTER_MS)).closed, 0);
});

test('a row that comes after its minute was closed is closed as late, once, and counted', async () => {
  for (const lateMinutes of [4, 6, 14, 40, 300, 1499]) {
    const storage = filled(2);
    const rows = storage.rows.all();
    const late = rowAt(createChance(9), BEGIN + 30_000, 'charlie-1');
    const arrivesMs = BEGIN + lateMinutes * MINUTE_MS;
    for (let nowMs = BEGIN; nowMs < arrivesMs; nowMs += MINUTE_MS) await close(storage, nowMs);
    storage.insert(late);
    for (let nowMs = arrivesMs; nowMs < BEGIN + 1_520 * MINUTE_MS; nowMs += 7 * MINUTE_MS)
      await close(storage, nowMs);
    const lines = texts(storage).flatMap(([, text]) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    const found = lines.flatMap((entry) => entry.late);
    const isLate = arrivesMs >= BEGIN + 4 * MINUTE_MS + SETTLED_AFTER_MS;
    assert.deepEqual(
      found.map(({ minute, rows }) => ({ minute, rows })),
      isLate || lateMinutes > 4 ? [{ minute: '2026-11-20T23:50', rows: 1 }] : [],
      String(lateMinutes),
    );
    assert.deepEqual(differences(fullCount([...rows, late]), rolledUp(storage)), []);
  }
});

test("a day without closing is made up for in one run, in both days' blobs", async () => {
  const storage = filled(3);
  const { closed } = await close(storage, BEGIN + 26 * 3_600_000);
  assert.ok(closed > 1_550);
  assert.deepEqual([...storage.blobs.keys()], ['2026-11-20', '2026-11-21', '2026-11-22']);
  assert.deepEqual(differences(fullCount(storage.rows.all()), rolledUp(storage)), []);
});

test('where the cursor is lost, the chain goes on and nothing is counted twice', async () => {
  const storage = filled(4);
  await close(storage, BEGIN + 10 * MINUTE_MS);
  storage.cursor = undefined;
  const logged: string[] = [];
  await closeBooks({
    ...portsTo(storage),
    clock: () => BEGIN + 3_600_000,
    log: (event) => void logged.push(event),
    keep: all,
    isOver: () => false,
  });
  assert.deepEqual(logged, ['record_not_counted']);
  assert.deepEqual(differences(fullCount(storage.rows.all()), rolledUp(storage)), []);
});

test('a blob that is shorter than the cursor says ends the closing with an outage, not with a second chain', async () => {
  const storage = filled(5);
  await close(storage, BEGIN + 3_600_000);
  const before = texts(storage);
  const [day = '', text = ''] = before.at(-1) ?? [];
  storage.blobs.set(day, text.split('\n').slice(0, -3).join('\n'));
  await assert.rejects(close(storage, BEGIN + 7_200_000), { service: 'blobs' });
});
