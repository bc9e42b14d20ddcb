import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { publish } from '../../src/rotation/publish.ts';
import { keyOf, outage, World } from './world.ts';

const leaked = (demand: string, slot: 'Key1' | 'Key2' | undefined = 'Key1') =>
  ({ slot, emergency: true, reason: 'leaked', demand }) as const;
const regenerated = (world: World): string[] => world.calls.filter((call) => call.startsWith('regenerate'));

async function marked(): Promise<World> {
  const world = new World();
  await world.tick();
  world.mark('Key1', 'one');
  return world;
}

/** The other key is refused, so that an emergency cannot promote it. */
function withoutOther(world: World): void {
  const account = world.account();
  account.refused.add(account.Key2);
}

describe('what exchanges read', () => {
  test('is written after the machine’s row and before the head is bumped, and again after a crash in between', async () => {
    const world = new World();
    await world.tick();
    const writes = world.calls.filter((call) => /^(row|publish|bump)/.test(call));
    assert.deepEqual(writes.slice(-3), ['row speech steady', 'publish', 'bump']);
    world.before = (call) => (call === 'publish' ? outage() : undefined);
    await assert.rejects(
      world.rotation.retireNow('speech', { slot: 'Key1', emergency: true, reason: 'leaked' }),
    );
    assert.notEqual(world.row().state.epoch, world.shown().state.epoch);
    world.before = () => undefined;
    await world.tick();
    assert.equal(world.shown().state.epoch, world.row().state.epoch);
  });

  test('is not put back by a driver that slept with an older row', async () => {
    const world = new World();
    await world.tick();
    const ports = world.ports();
    let others = 0;
    const stale = world.shown();
    world.published.set(keyOf('speech'), { ...stale, state: { ...stale.state, generation: 0 } });
    await publish(
      {
        ...ports,
        published: {
          ...ports.published,
          write: async (row) => {
            others += 1;
            // Between the look of this driver and its write, another one begins an emergency.
            if (others === 1) await world.rotation.retireNow('speech', leaked('one'));
            return ports.published.write(row);
          },
        },
      },
      keyOf('speech'),
    );
    assert.ok(others > 0);
    assert.equal(world.shown().state.epoch, world.row().state.epoch);
    assert.equal(world.shown().state.generation, world.row().state.generation);
  });

  test('is made again from the machine’s row when somebody deletes it, with the marks that were taken up', async () => {
    const world = await marked();
    await world.rotation.retireNow('speech', leaked('one'));
    const { epoch } = world.shown().state;
    world.published.delete(keyOf('speech'));
    await world.tick();
    assert.ok(world.shown().state.epoch >= epoch);
    world.mark('Key2', 'two');
    await world.tick();
    assert.equal(world.row().state.marksTaken.Key2, 1);
  });

  test('is made again when somebody edits it beyond reading: no exchange can read it either', async () => {
    const world = await marked();
    await world.rotation.retireNow('speech', leaked('one'));
    const { epoch } = world.shown().state;
    world.published.set(keyOf('speech'), 'unreadable');
    await world.tick();
    assert.ok(world.shown().state.epoch >= epoch);
    world.published.set(keyOf('speech'), 'unreadable');
    const begun = await world.rotation.retireNow('speech', leaked('two', 'Key2'));
    assert.equal(begun?.kind, 'begun');
    assert.equal(world.shown().state.epoch, world.row().state.epoch + 1);
  });

  test('makes the machine’s row again when somebody deletes that', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('draining');
    world.rows.clear();
    await world.tick();
    assert.equal(world.row().state.retiring, 'Key1');
    assert.equal(world.row().state.generation, world.shown().state.generation);
  });
});

describe('an emergency mark', () => {
  test('is kept by every publication until the demand is taken up, and then until the other slot is current', async () => {
    const world = await marked();
    withoutOther(world);
    const epoch = world.shown().state.epoch;
    await publish(world.ports(), keyOf('speech'));
    assert.deepEqual([world.shown().state.retiring, world.shown().state.epoch], ['Key1', epoch]);
    await world.rotation.retireNow('speech', leaked('one'));
    assert.equal(world.phase(), 'promoting');
    assert.equal(world.shown().state.retiring, 'Key1');
    assert.ok(world.shown().state.epoch > epoch);
    world.account().refused.clear();
    await world.tickUntil(undefined);
    assert.deepEqual([world.shown().state.retiring, world.shown().state.active], [undefined, 'Key2']);
    assert.deepEqual(regenerated(world), ['regenerate speech Key1']);
  });

  test('is taken up by a tick where the demand was not told, and the demand then begins nothing', async () => {
    const world = await marked();
    await world.tickUntil(undefined);
    assert.deepEqual(regenerated(world), ['regenerate speech Key1']);
    for (let time = 0; time < 3; time += 1)
      assert.equal((await world.rotation.retireNow('speech', leaked('one')))?.kind, 'begun');
    assert.deepEqual(regenerated(world), ['regenerate speech Key1']);
    assert.equal(world.shown().state.retiring, undefined);
  });

  test('is taken up while the account is paused, and the history says that the emergency ignored it', async () => {
    const world = await marked();
    const at = new Date(world.nowMs).toISOString();
    world.pauses.set(keyOf('speech'), { paused: true, by: 'olga', reason: 'a freeze', at });
    await world.tickUntil(undefined);
    assert.deepEqual(regenerated(world), ['regenerate speech Key1']);
    assert.ok(world.history.some(({ why }) => why.endsWith('(an emergency ignores the pause)')));
  });

  test('that is taken up before its demand is told leaves the demand’s other slot to do, once', async () => {
    const world = await marked();
    await world.tickUntil(undefined);
    for (let time = 0; time < 3; time += 1) {
      await world.rotation.retireNow('speech', { emergency: true, reason: 'leaked', demand: 'one' });
      await world.tickUntil(undefined);
    }
    assert.deepEqual(regenerated(world), ['regenerate speech Key1', 'regenerate speech Key2']);
  });

  test('that is set after its demand was carried out is cleared and begins nothing', async () => {
    const world = new World();
    await world.tick();
    await world.rotation.retireNow('speech', leaked('one'));
    await world.tickUntil(undefined);
    world.mark('Key1', 'one');
    await world.tick();
    assert.equal(world.shown().state.retiring, undefined);
    assert.deepEqual(regenerated(world), ['regenerate speech Key1']);
  });

  test('of another demand is not overwritten by the emergency of the first', async () => {
    const world = await marked();
    withoutOther(world);
    await world.rotation.retireNow('speech', leaked('one'));
    world.mark('Key2', 'two');
    assert.deepEqual([world.shown().state.active, world.shown().state.retiring], ['Key1', 'Key1']);
    world.account().refused.clear();
    const bought: string[] = [];
    for (let ticks = 0; ticks < 20; ticks += 1) {
      await world.tick();
      const { active, retiring } = world.shown().state;
      const mayBeBought = active !== retiring;
      if (mayBeBought) bought.push(world.account()[active]);
    }
    assert.deepEqual(regenerated(world), ['regenerate speech Key2', 'regenerate speech Key1']);
    // The two keys that leaked were made first.
    assert.ok(!bought.includes('account-key-1') && !bought.includes('account-key-2'), bought.join());
    assert.equal(world.shown().state.retiring, undefined);
  });

  test('of a slot that is not current hides nothing, and its key is regenerated without a drain', async () => {
    const world = new World();
    await world.tick();
    world.mark('Key2', 'one');
    assert.equal(world.shown().state.retiring, 'Key2');
    await world.tick();
    await world.tickUntil(undefined);
    assert.deepEqual(regenerated(world), ['regenerate speech Key2']);
    assert.equal(world.shown().state.retiring, undefined);
  });

  test('counts in the epoch for good: what was bought before it is never handed out again', async () => {
    const world = await marked();
    let epoch = world.shown().state.epoch;
    for (let ticks = 0; ticks < 10; ticks += 1) {
      await world.tick();
      assert.ok(world.shown().state.epoch >= epoch);
      epoch = world.shown().state.epoch;
    }
    assert.ok(epoch > world.row().state.epoch);
  });
});

describe('a demand', () => {
  test('begins once, however often it is told, also when its rotation is over', async () => {
    const world = new World();
    await world.tick();
    const demand = { slot: 'Key1', emergency: false, reason: 'asked', demand: 'one' } as const;
    for (let ticks = 0; ticks < 40; ticks += 1) {
      await world.rotation.retireNow('speech', demand);
      await world.tick();
    }
    assert.deepEqual(regenerated(world), ['regenerate speech Key1']);
    await world.rotation.retireNow('speech', { ...demand, slot: 'Key2', demand: 'two' });
    await world.tickUntil(undefined);
    assert.deepEqual(regenerated(world), ['regenerate speech Key1', 'regenerate speech Key2']);
  });

  test('that could not be stored is begun when it is told again', async () => {
    const world = new World();
    await world.tick();
    world.before = (call) => (call.startsWith('row speech') ? outage() : undefined);
    await assert.rejects(world.rotation.retireNow('speech', leaked('one')));
    world.before = () => undefined;
    assert.equal((await world.rotation.retireNow('speech', leaked('one')))?.kind, 'begun');
    await world.tickUntil(undefined);
    assert.deepEqual(regenerated(world), ['regenerate speech Key1']);
  });
});
