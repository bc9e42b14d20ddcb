import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Cells } from '../../src/record/cell-shape.ts';
import { type UsageItem, type UsageQuery, usage } from '../../src/record/usage.ts';
import { createChance } from '../simulation/random.ts';
import { fullCount } from './full-count.ts';
import { portsTo, type Storage } from './storage.ts';
import { liveThrough, type Week } from './week.ts';

const DAY_MS = 86_400_000;
const fromMs = Date.parse('2026-11-19T00:00:00Z');
const query: UsageQuery = {
  fromMs,
  toMs: fromMs + 5 * DAY_MS,
  by: ['resource'],
  per: 'day',
  only: {},
  limit: 100_000,
  after: undefined,
};
let week: Week;
before(async () => {
  week = await liveThrough(createChance(3), {
    days: 1,
    rowsAnHour: 30,
    strike: 0,
    closers: 1,
    hasOutages: false,
  });
});
const asked = async (storage: Storage, more: Partial<UsageQuery>): Promise<readonly UsageItem[]> =>
  (await usage(portsTo(storage).books, { ...query, ...more })).items;
const sum = (items: readonly UsageItem[]): number => items.reduce((all, { count }) => all + count, 0);

test('by every dimension, hour and day, usage is a full count of the rows', async () => {
  for (const per of ['hour', 'day'] as const) {
    const items = await asked(week.storage, {
      per,
      by: ['resource', 'caller', 'grant', 'kind', 'outcome', 'reason'],
    });
    const found = items.map((item) => {
      const at = item.at.slice(0, per === 'hour' ? 13 : 10);
      const { resource, tenantId, clientId, caller, grant, kind, outcome, reason } = item;
      const names = [resource, tenantId, clientId, caller, grant, kind, outcome, reason].map(
        (name) => name ?? '',
      );
      return [`${per} ${at}`, ...names, item.count, item.lastAt].join('|');
    });
    const wanted = [...fullCount(week.written)]
      .filter(([key]) => key.startsWith(per))
      .map(([key, { count, last }]) => [key, count, new Date(last).toISOString()].join('|'));
    assert.deepEqual(found.sort(), wanted.sort());
  }
});

test('what is not asked for is summed up: hours, days and the month have the same sum', async () => {
  const [hours, days, months] = await Promise.all(
    (['hour', 'day', 'month'] as const).map((per) => asked(week.storage, { per, by: [] })),
  );
  assert.ok(hours !== undefined && days !== undefined && months !== undefined);
  assert.ok(hours.length > 20);
  assert.deepEqual(
    days.map(({ at }) => at),
    ['2026-11-20T00:00:00.000Z', '2026-11-21T00:00:00.000Z'],
  );
  assert.deepEqual(
    months.map(({ at }) => at),
    ['2026-11-01T00:00:00.000Z'],
  );
  assert.equal(sum(hours), sum(days));
  assert.equal(sum(days), sum(months));
  const at = new Date(fromMs).toISOString();
  const span = await asked(week.storage, { per: 'span', by: [] });
  assert.deepEqual([span.length, span[0]?.at, sum(span)], [1, at, sum(days)]);
  const [from, to] = ['2026-11-20T10:00:00Z', '2026-11-20T12:00:00Z'].map(Date.parse);
  const two = await asked(week.storage, { per: 'span', by: [], fromMs: from ?? 0, toMs: to ?? 0 });
  const inThem = hours.filter(({ at }) => at.startsWith('2026-11-20T10') || at.startsWith('2026-11-20T11'));
  assert.equal(sum(two), sum(inThem));
});

test('only one resource, caller, grant or outcome is what the others leave out', async () => {
  const all = await asked(week.storage, { by: ['resource', 'caller', 'grant', 'outcome'], per: 'month' });
  for (const only of [
    { resource: 'speech' },
    { caller: 'person-1' },
    { caller: 'app-2' },
    { grant: 'captions' },
    { outcome: 'refused', resource: '' },
  ]) {
    const { resource = '', caller, grant = '', outcome = '' } = only as Record<string, string>;
    const expected = all.filter(
      (item) =>
        (!('resource' in only) || (item.resource ?? '') === resource) &&
        (caller === undefined || item.caller === caller || item.clientId === caller) &&
        (grant === '' || item.grant === grant) &&
        (outcome === '' || item.outcome === outcome),
    );
    const found = await asked(week.storage, { by: [], per: 'month', only });
    assert.equal(sum(found), sum(expected), JSON.stringify(only));
    assert.ok(sum(found) > 0 && sum(found) < sum(all));
  }
});

test('names that callers made up take no room, and acts of operators are no usage', async () => {
  const items = await asked(week.storage, { by: ['resource', 'reason'] });
  const made = items.filter(({ reason }) => reason === 'target_unknown');
  assert.ok(made.length > 0 && made.every(({ resource }) => resource === undefined));
  assert.ok(items.every(({ reason }) => reason !== 'drill'));
});

test('pages have each item once, the most used of a period first', async () => {
  const by = ['caller', 'outcome'] as const;
  const whole = await asked(week.storage, { by });
  const items: UsageItem[] = [];
  for (let after: UsageQuery['after'], isMore = true; isMore; isMore = after !== undefined) {
    const page = await usage(portsTo(week.storage).books, { ...query, by, limit: 5, after });
    items.push(...page.items);
    after = page.next;
  }
  assert.deepEqual(items, whole);
  const first = whole.filter(({ at }) => at === whole[0]?.at).map(({ count }) => count);
  assert.deepEqual(
    first,
    first.toSorted((one, other) => other - one),
  );
});

test('a roll-up keeps within its bound, and counts what has no room by its outcome', () => {
  const cells = new Cells(10_000);
  const cell = { tenantId: 't', clientId: 'c', grant: 'g', kind: 'sts', reason: '', count: 1, lastAtMs: 5 };
  for (let caller = 0; caller < 1_000; caller += 1)
    for (const outcome of ['granted', 'refused'])
      cells.add({
        ...cell,
        objectId: `00000000-0000-4000-8000-${String(caller).padStart(12, '0')}`,
        outcome,
      });
  const text = cells.text();
  assert.ok(text.length <= 10_500, String(text.length));
  const read = [...Cells.read(text, 10_000).values()];
  assert.equal(
    read.reduce((all, { count }) => all + count, 0),
    2_000,
  );
  const others = read.filter(({ reason }) => reason === 'others');
  assert.deepEqual(others.map(({ outcome }) => outcome).sort(), ['granted', 'refused']);
  assert.ok(others.every(({ objectId, count }) => objectId === '' && count > 800));
  // Read and added to again, it goes on in the same way.
  const again = Cells.read(text, 10_000);
  again.add({ ...cell, objectId: 'somebody new', outcome: 'granted' });
  assert.equal(again.text().length <= 10_600 && [...again.values()].length, read.length);
});

test('a roll-up that cannot be read is an outage, and no smaller number', () => {
  for (const text of ['', 'x', '{"names":[],"cells":[[1]]}', '{"cells":[]}'])
    assert.throws(() => Cells.read(text), { service: 'tables' });
});
