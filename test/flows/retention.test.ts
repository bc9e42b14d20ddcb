/** What is left of the audit when its time is over, in the local mode, and what a legal hold keeps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createAuditRowReader } from '../../src/azure/audit-rows.ts';
import { createTables } from '../../src/azure/tables.ts';
import { createBooksReader } from '../../src/azure/usage-table.ts';
import { dayOf, minuteOf } from '../../src/record/minute.ts';
import { NO_TIMER } from './rotation-hand.ts';
import { startStack } from './stack.ts';

const DAYS = 3;
const settings = { ...NO_TIMER, BROKER_AUDIT_DAYS: '2' };

/** An exchange, and then days in which nothing happens. @returns what is left of it */
async function after(environment: Readonly<Record<string, string>>) {
  await using stack = await startStack([], environment);
  await stack.warm();
  const { control, description } = stack;
  const now = async (): Promise<number> => Date.parse(String((await control('GET', '/clock'))['now']));
  const began = await now();
  assert.equal((await stack.exchange(await stack.callerToken('captions'), 'speech')).status, 200);
  const tables = createTables(description.tables, {
    getToken: () => Promise.reject(new Error('on loopback no credential is asked for')),
  });
  const [audit, books] = [createAuditRowReader(tables), createBooksReader(tables)];
  const isDone = async () => {
    const cursor = (await books.cursor())?.value;
    return cursor !== undefined && cursor.minute >= minuteOf((await now()) - 360_000);
  };
  for (let day = 0; day < DAYS; day += 1) {
    await control('POST', '/clock', { advanceSeconds: 86_400 });
    // The timer comes by itself, once for all that it missed.
    for (let left = 240; left > 0 && !(await isDone()); left -= 1) await wait(250);
    assert.ok(await isDone(), stack.log().slice(-2_000));
  }
  const [first, last] = [minuteOf(began), minuteOf(began + 120_000)];
  // The run that moved the cursor removes afterwards.
  if (environment['BROKER_HOLD_FROM'] === undefined)
    for (let left = 40; left > 0 && (await audit.keys(first, last)).length > 0; left -= 1) await wait(250);
  else await wait(1_000);
  const span = {
    resource: 'speech',
    first: dayOf(first),
    last: `${dayOf(last)}T24`,
    after: undefined,
    calls: 20,
  };
  const rollUps = async (per: 'hour' | 'day') => (await books.rollUps({ ...span, per })).items.length;
  return {
    rows: (await audit.keys(first, last)).length,
    hours: await rollUps('hour'),
    days: await rollUps('day'),
    removedBefore: (await books.cursor())?.value.removedBefore,
    began,
  };
}

test('rows whose time is over are gone and so are their hours; the days stay, and the chain says what may be gone', async () => {
  const left = await after(settings);
  assert.equal(left.rows, 0);
  assert.equal(left.hours, 0);
  assert.ok(left.days > 0);
  assert.ok((left.removedBefore ?? '') > minuteOf(left.began));
});

test('a legal hold keeps every row that it is about, however old', async () => {
  const left = await after({ ...settings, BROKER_HOLD_FROM: '2020-01-01T00:00:00Z' });
  assert.ok(left.rows > 0);
  assert.ok(left.hours > 0);
  assert.ok((left.removedBefore ?? '') < minuteOf(left.began));
});
