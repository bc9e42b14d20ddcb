import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dueAtMs } from '../../src/rotation/due.ts';
import { MINUTE_MS, resourceNamed, START_MS, World } from './world.ts';

const DAY_MS = 86_400_000;
const unknown = { keysSince: undefined };
const rotation = resourceNamed('speech', unknown).rotation ?? assert.fail();
const adopted = { adoptedAtMs: START_MS, rotatedAtMs: undefined, bornAtMs: {} };

describe('a key whose making nobody saw', () => {
  test('is of unknown age in the plan and the health, also while its account was never seen', async () => {
    const world = new World(['seen', 'blocked'].map((name) => resourceNamed(name, unknown)));
    world.account('blocked').refusal = 'forbidden';
    for (let looks = 0; looks < 2; looks += 1) {
      for (const plan of await world.plan()) {
        assert.deepEqual(
          plan.slots?.map(({ since }) => since),
          [undefined, undefined],
        );
        assert.equal(plan.keyOfUnknownAge, true);
        assert.equal(plan.rotatedAt, undefined);
      }
      assert.deepEqual((await world.overdue()).ofUnknownAge, ['seen', 'blocked']);
      await world.tick();
    }
  });

  test('is rotated within a day of the adoption, and from then on its age is known', async () => {
    const world = new World([resourceNamed('speech', unknown)]);
    const before = { ...world.account() };
    await world.tick();
    const dueMs = Date.parse((await world.plan())[0]?.dueAt ?? '');
    assert.ok(dueMs > world.nowMs && dueMs <= world.nowMs + DAY_MS);
    await world.tickUntil('promoting');
    assert.ok(world.nowMs >= dueMs && world.nowMs < dueMs + 5 * MINUTE_MS);
    await world.tickUntil(undefined);
    assert.notEqual(world.account().Key1, before.Key1);
    assert.notEqual(world.account().Key2, before.Key2);
    const { bornAtMs, rotatedAtMs = 0 } = world.row().state;
    assert.ok((bornAtMs.Key1 ?? 0) > dueMs && (bornAtMs.Key2 ?? 0) > (bornAtMs.Key1 ?? 0));
    assert.deepEqual((await world.overdue()).ofUnknownAge, []);
    const nextDueMs = Date.parse((await world.plan())[0]?.dueAt ?? '');
    assert.ok(nextDueMs >= rotatedAtMs + 0.9 * rotation.period);
  });

  test('is rotated within a day in alternating mode too: both keys, one after the other', async () => {
    const world = new World([resourceNamed('speech', { ...unknown, mode: 'alternating' })]);
    const before = { ...world.account() };
    await world.tick();
    await world.tickUntil('promoting');
    await world.tickUntil(undefined);
    assert.equal(world.account().Key2, before.Key2);
    await world.tickUntil('promoting');
    await world.tickUntil(undefined);
    assert.notEqual(world.account().Key1, before.Key1);
    assert.notEqual(world.account().Key2, before.Key2);
    await world.tick();
    assert.equal(world.phase(), undefined);
  });

  test('waits for the end of a blackout', async () => {
    const blackout = { from: '00:00', to: '23:00' };
    const world = new World([resourceNamed('speech', { ...unknown, blackout })]);
    await world.tick();
    await world.tickUntil('promoting');
    assert.equal(new Date(world.nowMs).getUTCHours(), 23);
  });

  test('makes its rotation overdue when nothing goes on, also where the account was never adopted', async () => {
    const world = new World([resourceNamed('speech', unknown)]);
    world.account().refusal = 'forbidden';
    await world.tick();
    world.nowMs = dueAtMs('speech', rotation, world.row().state) + DAY_MS - 6 * MINUTE_MS;
    assert.deepEqual((await world.overdue()).overdue, []);
    world.nowMs += 10 * MINUTE_MS;
    assert.deepEqual((await world.overdue()).overdue, ['speech']);
    // Its day begins when it can be adopted.
    delete world.account().refusal;
    await world.tick();
    assert.deepEqual((await world.overdue()).overdue, []);
  });
});

test('a thousand accounts adopted in one tick begin their rotations spread over the day', async () => {
  const names = Array.from({ length: 1_000 }, (_, n) => `speech-${n}`);
  const world = new World(names.map((name) => resourceNamed(name, unknown)));
  await world.tick();
  const hours: number[] = [];
  const begun = new Set<string>();
  for (let hour = 0; hour < 24; hour += 1) {
    world.nowMs += 60 * MINUTE_MS;
    const { steps } = await world.rotation.tick();
    const first = steps.filter(({ resource, why }) => why === 'the rotation is due' && !begun.has(resource));
    for (const { resource } of first) begun.add(resource);
    hours.push(first.length);
  }
  assert.equal(begun.size, 1_000);
  assert.ok(Math.max(...hours) < 80, `begun by the hour: ${hours.join(' ')}`);
});

test('a policy that says since when the keys are is believed, but not beyond the adoption', () => {
  const saying = (keysSince: number) => dueAtMs('speech', { ...rotation, keysSince }, adopted);
  const tenDaysAgo = saying(START_MS - 10 * DAY_MS);
  assert.ok(tenDaysAgo >= START_MS + 17 * DAY_MS && tenDaysAgo <= START_MS + 20 * DAY_MS);
  const yearsAgo = saying(START_MS - 900 * DAY_MS);
  assert.ok(yearsAgo >= START_MS && yearsAgo <= START_MS + DAY_MS);
  assert.equal(saying(START_MS + 400 * DAY_MS), saying(START_MS));
});

test('a key made by hand while it is proved is as old as that', async () => {
  const world = new World();
  await world.begun();
  await world.tickUntil('proving');
  const first = world.row().state.bornAtMs.Key1 ?? 0;
  world.account().Key1 = world.makeKey();
  await world.tick();
  assert.equal(world.row().state.bornAtMs.Key1, world.nowMs);
  assert.ok(first < world.nowMs);
});
