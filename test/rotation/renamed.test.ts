import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Resource } from '../../src/policy/schema.ts';
import type { KeyRotation } from '../../src/rotation/rotate.ts';
import { UNMARKED } from '../../src/rotation/state.ts';
import { keyOf, MINUTE_MS, resourceNamed, World } from './world.ts';

const renamed = (rest: Partial<Resource> = {}): Resource => ({
  ...resourceNamed('speech'),
  name: 'captions',
  ...rest,
});
const regenerated = (world: World): string[] => world.calls.filter((call) => call.startsWith('regenerate'));

async function tickAll(world: World, drivers: readonly KeyRotation[], ticks: number): Promise<void> {
  for (let tick = 0; tick < ticks; tick += 1) {
    world.nowMs += 5 * MINUTE_MS;
    for (const driver of drivers) await driver.tick();
  }
}

describe('a resource that gets another name in the policy', () => {
  test('is drained as before: a token bought under the old name still holds up the regeneration', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('draining');
    const expiryMs = world.nowMs + 30 * MINUTE_MS;
    world.ledger.set('speech Key1', expiryMs);
    const driver = world.driver('test', [renamed()]);
    while (regenerated(world).length === 0) await tickAll(world, [driver], 1);
    assert.ok(world.nowMs > expiryMs);
    assert.deepEqual([...world.rows.keys()], [keyOf('speech')]);
  });

  test('is rotated once while instances with either policy run', async () => {
    const world = new World();
    await world.begun();
    const drivers = [world.driver('old'), world.driver('new', [renamed()])];
    await tickAll(world, drivers, 60);
    assert.equal(world.phase(), undefined);
    assert.deepEqual(regenerated(world), ['regenerate speech Key1', 'regenerate speech Key2']);
  });

  test('keeps its history, also what was told of it under its name', async () => {
    const world = new World();
    await world.tick();
    const [entry] = world.history;
    assert.ok(entry);
    world.history.splice(0, 1, { ...entry, account: 'captions', why: 'told long ago' });
    await world.rotation.retireNow('speech', { emergency: false, reason: 'test' });
    const told = (await world.planned([renamed()]).history(renamed().name, 20, undefined)) ?? [];
    assert.equal(told.at(-1)?.what, 'told long ago');
    assert.ok(told.length > 1);
  });
});

describe('a row that stands under the name in the policy', () => {
  async function underItsName(): Promise<World> {
    const world = new World();
    await world.begun();
    await world.tickUntil('draining');
    const row = { ...world.row(), account: 'speech', marks: UNMARKED, moved: false };
    world.rows.clear();
    world.published.clear();
    world.published.set('speech', { ...row, state: { ...row.state, secret: '', suspectUntilMs: 0 } });
    return world;
  }

  test('is carried over whole, and its drain waits for the tokens that the new ledger does not know', async () => {
    const world = await underItsName();
    const fromMs = world.nowMs;
    await world.tick();
    assert.deepEqual([...world.rows.keys()], [keyOf('speech')]);
    const { work, retiring, secret } = world.row().state;
    assert.deepEqual([work?.phase.name, retiring, secret], ['draining', 'Key1', 'speech-key']);
    while (regenerated(world).length === 0) await world.tick();
    assert.ok(world.nowMs - fromMs >= 12 * MINUTE_MS);
  });

  test('is carried over once: who comes second does nothing, and a copy left by a crash is removed', async () => {
    const world = await underItsName();
    const left = world.published.get('speech');
    await Promise.all([world.tick(), world.driver('other').tick()]);
    assert.ok(left);
    world.published.set('speech', left);
    const before = world.row();
    await world.tick();
    assert.deepEqual([...world.published.keys()], [keyOf('speech')]);
    assert.ok(world.row().lease.fence >= before.lease.fence);
  });

  test('is shown by the plan, which changes nothing', async () => {
    const world = await underItsName();
    const [plan] = await world.plan();
    assert.equal(plan?.state, 'draining (Key1)');
    assert.deepEqual([[...world.rows.keys()], [...world.published.keys()]], [[], ['speech']]);
  });

  test('is found by an emergency', async () => {
    const world = await underItsName();
    await world.rotation.retireNow('speech', { slot: 'Key1', emergency: true, reason: 'leaked' });
    assert.deepEqual([...world.rows.keys()], [keyOf('speech')]);
    assert.ok(world.row().state.epoch > 0);
  });
});

test('a secret that is renamed gets the key, and the old one is named to exchanges until then', async () => {
  const world = new World();
  await world.tick();
  const { version } = world.current() ?? assert.fail();
  const driver = world.driver('test', [renamed({ secret: 'captions-key' })]);
  world.before = (call) => {
    if (call !== 'write captions-key') return;
    const { secret, secretVersion } = world.row().state;
    assert.deepEqual([secret, secretVersion], ['speech-key', version]);
  };
  await tickAll(world, [driver], 1);
  const { secret, secretVersion } = world.row().state;
  assert.deepEqual([secret, secretVersion], ['captions-key', world.current('captions')?.version]);
  assert.deepEqual(regenerated(world), []);
});

test('a resource that is removed in the middle of a rotation and added again goes on where it was', async () => {
  const world = new World();
  await world.begun();
  await world.tickUntil('draining');
  await tickAll(world, [world.driver('test', [])], 100);
  assert.equal(world.phase(), 'draining');
  const alternating = resourceNamed('speech', { mode: 'alternating' });
  await tickAll(world, [world.driver('test', [alternating])], 30);
  assert.equal(world.phase(), undefined);
  assert.deepEqual(regenerated(world), ['regenerate speech Key1', 'regenerate speech Key2']);
});
