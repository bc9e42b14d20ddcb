/** From the version with one app to two apps and back, while drivers of both run. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RotationPorts } from '../../src/rotation/ports.ts';
import { createRotation, type KeyRotation } from '../../src/rotation/rotate.ts';
import { type StoredRow, UNMARKED } from '../../src/rotation/state.ts';
import { keyOf, MINUTE_MS, outage, World } from './world.ts';

const regenerated = (world: World): string[] => world.calls.filter((call) => call.startsWith('regenerate'));

/**
 * The version with one app: the same machine, on the rows that exchanges read, under the same lease. It cannot read a
 * row that was moved.
 */
function oneApp(world: World, instance = 'one-app'): KeyRotation {
  const ports = world.ports();
  const read = (account: string): StoredRow | 'unreadable' | undefined => {
    const row = world.published.get(account);
    return typeof row === 'object' && row.moved ? 'unreadable' : row;
  };
  const copyOf = (row: StoredRow | 'unreadable' | undefined) =>
    typeof row === 'object' ? { ...row, marks: UNMARKED, moved: true } : row;
  const old: RotationPorts = {
    ...ports,
    store: {
      ...ports.store,
      all: async () => new Map([...world.published.keys()].map((key) => [key, read(key) ?? 'unreadable'])),
      read: async (account) => read(account),
      write: (row) => ports.published.write({ ...row, marks: UNMARKED, moved: false }),
    },
    published: {
      all: async () =>
        new Map([...world.published.keys()].map((key) => [key, copyOf(read(key)) ?? 'unreadable'])),
      read: async (account) => copyOf(read(account)),
      write: async () => ({ etag: 'its row is the published one' }),
      repair: async () => 'moved',
      remove: async () => undefined,
    },
  };
  return createRotation(old, world.resources, instance, async () => undefined);
}

async function tickAll(world: World, drivers: readonly KeyRotation[], ticks: number): Promise<void> {
  for (let tick = 0; tick < ticks; tick += 1) {
    world.nowMs += 5 * MINUTE_MS;
    for (const driver of drivers) await driver.tick();
  }
}
const handedBack = (world: World): boolean => !world.shown().moved;

async function ofOneApp(ticks: number): Promise<World> {
  const world = new World();
  await tickAll(world, [oneApp(world)], 1);
  await oneApp(world).retireNow('speech', { emergency: false, reason: 'test' });
  await tickAll(world, [oneApp(world)], ticks);
  assert.equal(world.rows.size, 0);
  return world;
}

describe('the move to two apps', () => {
  for (const ticks of [0, 1, 2, 3, 4, 6, 9])
    test(`goes on where the version with one app was after ${ticks} ticks, while that one runs on`, async () => {
      const world = await ofOneApp(ticks);
      const before = world.shown();
      await world.tick();
      assert.equal(world.shown().moved, true);
      assert.ok(world.row().lease.fence > before.lease.fence);
      assert.ok(world.row().state.generation >= before.state.generation);
      await tickAll(world, [oneApp(world), world.rotation, oneApp(world, 'other')], 60);
      assert.equal(world.phase(), undefined);
      assert.deepEqual(regenerated(world), ['regenerate speech Key1', 'regenerate speech Key2']);
    });

  test('leaves alone a row whose driver is at work, and that driver finishes its step', async () => {
    const world = new World();
    let report: Awaited<ReturnType<KeyRotation['tick']>> | undefined;
    world.before = (call) => {
      if (call !== 'write speech-key' || report !== undefined) return;
      report = { resources: 0, steps: [], waiting: 0, unreachable: [], postponed: 0 };
      void world.rotation.tick().then((done) => {
        report = done;
      });
    };
    await tickAll(world, [oneApp(world)], 1);
    assert.deepEqual(report?.unreachable, ['speech']);
    assert.equal(world.shown().state.generation, 1);
    await world.tick();
    assert.equal(world.row().state.generation, 1);
  });

  test('stops a driver of the version with one app that lost its lease meanwhile', async () => {
    const world = new World();
    world.before = (call) => {
      if (call !== 'prove speech') return;
      world.before = () => undefined;
      // It sleeps for so long that its lease is over, and the rotator app takes the account.
      world.nowMs += 10 * MINUTE_MS;
      world.published.set(keyOf('speech'), { ...world.shown(), etag: world.newEtag(), moved: true });
    };
    await tickAll(world, [oneApp(world)], 1);
    assert.ok(!world.calls.includes('write speech-key'));
  });

  test('goes on after a crash between its two writes', async () => {
    const world = await ofOneApp(2);
    world.before = (call) => (call.startsWith('row speech') ? outage() : undefined);
    await world.tick();
    assert.deepEqual([world.shown().moved, world.rows.size], [true, 0]);
    await tickAll(world, [oneApp(world)], 3);
    assert.equal(world.rows.size, 0);
    world.before = () => undefined;
    await world.tick();
    assert.equal(world.rows.size, 1);
    assert.equal(world.row().state.generation, world.shown().state.generation);
  });

  test('takes an account that has no row before the version with one app does', async () => {
    const world = new World();
    await world.tick();
    await tickAll(world, [oneApp(world)], 2);
    assert.equal(world.calls.filter((call) => call === 'write speech-key').length, 1);
  });
});

describe('the way back', () => {
  for (const ticks of [0, 1, 2, 3, 4, 6, 9])
    test(`to one app after ${ticks} ticks of a rotation: it goes on there, and once`, async () => {
      const world = new World();
      await world.begun();
      for (let tick = 0; tick < ticks; tick += 1) await world.tick();
      const { state } = world.row();
      await tickAll(world, [world.driver('back', world.resources, true)], 2);
      assert.ok(handedBack(world));
      assert.deepEqual(world.shown().state.work?.phase, state.work?.phase);
      await tickAll(world, [oneApp(world), world.driver('back', world.resources, true)], 60);
      assert.equal(world.shown().state.work, undefined);
      assert.deepEqual(regenerated(world), ['regenerate speech Key1', 'regenerate speech Key2']);
    });

  test('goes on after a crash between its two writes, and the rotator app works on nothing', async () => {
    const world = new World();
    await world.begun();
    const back = world.driver('back', world.resources, true);
    world.before = (call) => (call === 'publish' ? outage() : undefined);
    await tickAll(world, [back], 1);
    assert.ok(!handedBack(world));
    world.before = () => undefined;
    const { generation } = world.row().state;
    const answer = await back.retireNow('speech', { emergency: true, reason: 'leaked' });
    assert.deepEqual([answer?.kind, answer?.state], ['notBegun', 'handed back']);
    assert.equal(await back.heal('speech'), undefined);
    assert.ok(world.logged.includes('rotation_handed_back {"resources":1,"left":1}'));
    await tickAll(world, [back], 1);
    assert.ok(handedBack(world));
    assert.ok(world.logged.includes('rotation_handed_back {"resources":1,"left":0}'));
    assert.equal(world.row().state.generation, generation);
  });

  test('and forth again: the rotator app takes over what the version with one app has done since', async () => {
    const world = new World();
    await world.begun();
    await tickAll(world, [world.driver('back', world.resources, true)], 1);
    await tickAll(world, [oneApp(world)], 3);
    const { generation } = world.shown().state;
    await tickAll(world, [world.rotation, oneApp(world)], 60);
    assert.ok(world.row().state.generation > generation);
    assert.equal(world.shown().moved, true);
    assert.deepEqual(regenerated(world), ['regenerate speech Key1', 'regenerate speech Key2']);
  });

  test('and forth again: a demand that was begun before is not begun a second time', async () => {
    const world = new World();
    await world.tick();
    const request = { emergency: true, slot: 'Key1', reason: 'leaked', demand: 'one' } as const;
    await world.rotation.retireNow('speech', request);
    await tickAll(world, [world.driver('back', world.resources, true)], 1);
    assert.ok(handedBack(world));
    await tickAll(world, [oneApp(world)], 60);
    assert.equal(world.shown().state.work, undefined);
    // Its driver slept from before it was begun until now, or died before it wrote down that it was.
    await world.rotation.retireNow('speech', request);
    assert.ok(!handedBack(world));
    assert.equal(world.phase(), undefined);
    assert.deepEqual(regenerated(world), ['regenerate speech Key1']);
  });

  test('of a half-finished hand-back is finished by a rotator app that does not hand back any more', async () => {
    const world = new World();
    await world.begun();
    world.before = (call) => (call === 'publish' ? outage() : undefined);
    await tickAll(world, [world.driver('back', world.resources, true)], 1);
    world.before = () => undefined;
    await world.tick();
    assert.ok(handedBack(world));
    await world.tickUntil(undefined);
    assert.ok(!handedBack(world));
    assert.deepEqual(regenerated(world), ['regenerate speech Key1', 'regenerate speech Key2']);
  });

  test('waits until an operator’s emergency is over, also one that is marked in the middle of it', async () => {
    for (const isInTheMiddle of [false, true]) {
      const world = new World();
      await world.tick();
      const back = world.driver('back', world.resources, true);
      if (isInTheMiddle) {
        world.before = (call) => (call === 'publish' ? outage() : undefined);
        await tickAll(world, [back], 1);
        world.before = () => undefined;
      }
      world.mark('Key1', 'one');
      for (let ticks = 0; ticks < 20 && !handedBack(world); ticks += 1) {
        const { active, retiring } = world.shown().state;
        assert.ok(active === 'Key2' || retiring === 'Key1', 'the marked key may be bought with');
        await tickAll(world, [back], 1);
      }
      assert.ok(handedBack(world));
      assert.deepEqual(regenerated(world), ['regenerate speech Key1']);
      assert.deepEqual([world.shown().state.active, world.shown().state.retiring], ['Key2', undefined]);
    }
  });

  test('keeps the epoch, so that no token of before an emergency is handed out by the version with one app', async () => {
    const world = new World();
    await world.tick();
    world.mark('Key1', 'one');
    await world.tickUntil(undefined);
    const { epoch } = world.shown().state;
    await tickAll(world, [world.driver('back', world.resources, true)], 1);
    assert.deepEqual([handedBack(world), world.shown().state.epoch], [true, epoch]);
    await world.tick();
    assert.deepEqual([handedBack(world), world.shown().state.epoch], [false, epoch]);
  });
});
