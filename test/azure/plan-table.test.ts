import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createPlanReader, createPlanWriter } from '../../src/azure/plan-table.ts';
import { createRotationStore } from '../../src/azure/rotation-store.ts';
import type { PlanRow } from '../../src/rotation/plan-row.ts';
import { startAzurite } from './azurite.ts';

let azurite: Awaited<ReturnType<typeof startAzurite>>;
before(async () => {
  azurite = await startAzurite();
});
after(() => azurite[Symbol.asyncDispose]());
const plan = (account: string, state = 'steady'): PlanRow => ({
  account,
  resource: `name of ${account}`,
  asOf: '2026-11-26T09:00:00.000Z',
  state,
  next: 'the next rotation is not due',
  phase: 'steady',
  active: 'Key1',
  slots: (['Key1', 'Key2'] as const).map((slot) => ({
    slot,
    state: 'spare',
    fingerprint: '0123456789abcdef',
    since: '2026-11-26T08:00:00.000Z',
  })),
  hasKeyOfUnknownAge: true,
});

test('plans come back as they were written, the last one of each account', async () => {
  const [writer, reader] = [createPlanWriter(azurite.tables), createPlanReader(azurite.tables)];
  const rows = Array.from({ length: 40 }, (_, number) => plan(`account-${String(number).padStart(2, '0')}`));
  await writer.write(rows);
  await writer.write([plan('account-00', 'blocked')]);
  const byAccount = (await reader.all()).toSorted((one, other) => (one.account < other.account ? -1 : 1));
  assert.deepEqual(byAccount, [plan('account-00', 'blocked'), ...rows.slice(1)]);
  const lookedAtMs = await writer.lookedAtMs();
  assert.equal(lookedAtMs.size, 40);
  assert.equal(lookedAtMs.get('account-39'), Date.parse(plan('any').asOf));
});

test('a plan that somebody broke counts as not seen, and the rotation’s own rows are no plans', async () => {
  const reader = createPlanReader(azurite.tables);
  const before = (await reader.all()).length;
  const table = await azurite.tables('rotation');
  await table.createEntity({ partitionKey: 'plan', rowKey: 'broken', plan: '{"account":7}' });
  await table.createEntity({
    partitionKey: 'rotation',
    rowKey: 'account-00',
    plan: JSON.stringify(plan('x')),
  });
  assert.equal((await reader.all()).length, before);
});

test('a row has room for as many plans as the largest of three thousand accounts puts into it', async () => {
  const rows = Array.from({ length: 3_000 }, (_, number) => ({
    ...plan(`subscription:group:account-${number}`),
    next: 'x'.repeat(100),
    blocked: 'x'.repeat(100),
  }));
  await createPlanWriter(azurite.tables).write(rows);
  const found = await createPlanReader(azurite.tables).all();
  assert.equal(found.filter(({ account }) => account.startsWith('subscription:')).length, 3_000);
});

test('the history is what the rotation recorded, the newest first, and of that account alone', async () => {
  const entry = (account: string, fence: number) => ({
    account,
    fence,
    atMs: fence,
    by: 'driver',
    from: 'steady',
    to: 'promoting (Key1)',
    why: 'due',
    tookMs: 0,
    emergency: false,
  });
  const store = createRotationStore(azurite.tables);
  for (const fence of [1, 2, 3]) await store.record(entry("it's one", fence));
  await store.record(entry('other', 9));
  const reader = createPlanReader(azurite.tables);
  assert.deepEqual(await reader.history("it's one", 2), [entry("it's one", 3), entry("it's one", 2)]);
  assert.deepEqual(await reader.history('nobody', 2), []);
});
