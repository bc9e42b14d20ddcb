/** Ticks over more accounts than one has time for, each by a process that has just started. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { iso } from '../../src/iso.ts';
import { createPace } from '../../src/rotation/pace.ts';
import { createRotation } from '../../src/rotation/rotate.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { keyOf, MINUTE_MS, resourceNamed, START_MS, World } from './world.ts';

const HOUR_MS = 60 * MINUTE_MS;

/** A world in which each tick is paced in a time of its own, and which notes when each account was looked at. */
function fleet(count: number, rotation: Parameters<typeof resourceNamed>[1] = {}) {
  const names = Array.from({ length: count }, (_, n) => `speech-${n}`);
  const world = new World(names.map((name) => resourceNamed(name, rotation)));
  const looks = new Map<string, number[]>(names.map((name) => [name, []]));
  let ticks = 0;
  let order: string[] = [];
  world.before = (call) => {
    const name = /^listKeys (\S+)$/.exec(call)?.[1];
    if (name === undefined || order.includes(name)) return;
    order.push(name);
    looks.get(name)?.push(world.nowMs);
  };
  return {
    world,
    looks,
    /** In which order they were looked at. */
    async tick(): Promise<readonly string[]> {
      ticks += 1;
      world.nowMs += 5 * MINUTE_MS;
      world.calls.length = 0;
      order = [];
      let elapsedMs = 0;
      const pace = createPace(
        () => elapsedMs,
        async (ms) => {
          const untilMs = elapsedMs + ms;
          await new Promise((resolve) => setImmediate(resolve));
          elapsedMs = Math.max(elapsedMs, untilMs);
        },
      );
      const ports = { ...world.ports(), elapsedMs: () => elapsedMs };
      await createRotation(ports, world.resources, `tick-${ticks}`, pace).tick();
      return order;
    },
  };
}

test('of 10,000 accounts in one subscription each is looked at within the hour, while hundreds rotate', async () => {
  // Of an age that nobody knows, so that each is due within a day of its adoption.
  const { world, looks, tick } = fleet(10_000, { keysSince: undefined });
  const untilMs = START_MS + 2 * HOUR_MS;
  let most = 0;
  while (world.nowMs < untilMs) {
    await tick();
    const busy = [...world.rows.values()].filter(
      (row) => typeof row === 'object' && row.state.work !== undefined,
    );
    most = Math.max(most, busy.length);
  }
  const widestMs = [...looks.values()].map((atMs) =>
    Math.max(...[...atMs, untilMs].map((ms, index) => ms - (atMs[index - 1] ?? START_MS))),
  );
  assert.ok(
    Math.max(...widestMs) <= HOUR_MS,
    `one was not looked at for ${Math.max(...widestMs) / MINUTE_MS} min`,
  );
  assert.ok(most > 100, `${most} rotated at once`);

  const { unseen, lookedAtMs } = await world.overdue();
  assert.deepEqual(unseen, []);
  assert.ok(world.nowMs - (lookedAtMs ?? 0) <= HOUR_MS, 'and health says within which time');
});

test('of more accounts than an hour has time for, those that rotate do not wait for all others', async () => {
  const { world, tick } = fleet(4_000);
  for (let ticks = 0; ticks < 3; ticks += 1) await tick();
  await world.rotation.retireNow('speech-7', { emergency: false, reason: 'test' });
  // Nobody has looked for an hour, but at two of them just now.
  world.nowMs += HOUR_MS;
  for (const name of ['speech-7', 'speech-8']) {
    const plan = world.plans.get(keyOf(name));
    if (plan !== undefined) world.plans.set(keyOf(name), { ...plan, asOf: iso(world.nowMs) });
  }
  const order = await tick();
  assert.equal(order.indexOf('speech-7'), 1, 'the second, after one that is late');
  assert.ok(order.length > 1_000 && !order.includes('speech-8'), 'and who has nothing to do waits');

  // All are late at each tick, and none waits for longer than the others.
  const turns = new Set<string>();
  for (let ticks = 0; ticks < 3; ticks += 1) {
    world.nowMs += HOUR_MS;
    for (const name of await tick()) turns.add(name);
  }
  assert.equal(turns.size, 4_000);
});

test('an emergency comes first of all', async () => {
  const { world, tick } = fleet(100);
  for (let ticks = 0; ticks < 2; ticks += 1) await tick();
  await world.rotation.retireNow('speech-3', { emergency: false, reason: 'test' });
  world.mark('Key1', 'a demand', 'speech-99');
  await tick();
  const [, first] = world.calls;
  assert.match(first ?? '', /speech-99\b/);
});

test('without the plans all are looked at as ever', async () => {
  const { world, tick } = fleet(20);
  await tick();
  const note = world.before;
  world.before = (call) => {
    if (call === 'looked at') throw new UpstreamFailure('tables', 'is down');
    note(call);
  };
  assert.equal((await tick()).length, 20);
});
