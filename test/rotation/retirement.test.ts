import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MINUTE_MS, outage, resourceNamed, World } from './world.ts';

describe('a retirement, step by step', () => {
  test('a full rotation is the procedure of the course: to key 2, key 1 anew, back, key 2 anew', async () => {
    const world = new World();
    await world.begun();
    const before = { ...world.account() };
    await world.tickUntil(undefined);
    const after = world.account();
    assert.notEqual(after.Key1, before.Key1);
    assert.notEqual(after.Key2, before.Key2);
    const outside = world.calls.filter((call) => /^(write|regenerate|disable)/.test(call));
    assert.deepEqual(outside, [
      'write speech-key',
      'write speech-key',
      'regenerate speech Key1',
      'disable speech-key',
      'write speech-key',
      'regenerate speech Key2',
      'disable speech-key',
    ]);
    assert.equal(world.current()?.value, after.Key1);
    const { state } = world.row();
    assert.deepEqual([state.active, state.retiring, state.generation], ['Key1', undefined, 3]);
  });

  test('at most one step per tick, and it is written down before the next', async () => {
    const world = new World();
    await world.begun();
    for (let ticks = 0; ticks < 30; ticks += 1) {
      const from = world.calls.length;
      await world.tick();
      const steps = world.calls.slice(from).filter((call) => /^(write|regenerate|disable)/.test(call));
      assert.ok(steps.length <= 1, steps.join());
    }
    assert.equal(world.phase(), undefined);
  });

  test('an alternating rotation renews the key that was in use, and the next one the other', async () => {
    const world = new World([resourceNamed('speech', { mode: 'alternating' })]);
    const first = { ...world.account() };
    await world.begun();
    await world.tickUntil(undefined);
    assert.deepEqual(
      [world.account().Key1 === first.Key1, world.account().Key2 === first.Key2],
      [false, true],
    );
    await world.rotation.retireNow('speech', { emergency: false, reason: 'again' });
    await world.tickUntil(undefined);
    assert.notEqual(world.account().Key2, first.Key2);
  });

  test('a key is published only after rounds of successes a minute apart, and any refusal starts them again', async () => {
    const world = new World();
    world.account().refused.add(world.account().Key2);
    await world.begun();
    await world.tick();
    assert.deepEqual(world.row().state.work?.problem, { code: 'key_refused' });
    world.account().refused.clear();
    await world.tick();
    world.account().refused.add(world.account().Key2);
    await world.tick();
    world.account().refused.clear();
    const writes = () => world.calls.filter((call) => call.startsWith('write')).length;
    const before = writes();
    for (const expected of [before, before, before + 1]) {
      await world.tick();
      assert.equal(writes(), expected);
    }
  });

  test('a slot is never regenerated while a token bought with it may live, by the latest declared expiry', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('draining');
    const expiryMs = world.nowMs + 47 * MINUTE_MS;
    world.ledger.set('speech Key1', expiryMs);
    while (!world.calls.includes('regenerate speech Key1')) await world.tick();
    assert.ok(world.nowMs > expiryMs, 'regenerated too early');
    assert.ok(world.nowMs < expiryMs + 15 * MINUTE_MS, 'and not much later');
  });

  test('the ledger is read only after the row said retiring and the head row was bumped', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('draining');
    assert.equal(world.row().state.retiring, 'Key1');
    const from = world.calls.length;
    await world.tick();
    const calls = world.calls.slice(from).filter((call) => ['bump', 'ledger Key1'].includes(call));
    assert.deepEqual(calls.slice(0, 2), ['bump', 'ledger Key1']);
  });

  test('declared consumers have their time, from the moment the new version was written', async () => {
    const world = new World([resourceNamed('speech', { consumers: [{ kind: 'keyVaultReferences' }] })]);
    await world.begun();
    await world.tickUntil('draining');
    const promotedMs = world.nowMs;
    while (!world.calls.includes('regenerate speech Key1')) await world.tick();
    assert.ok(world.nowMs >= promotedMs + 24 * 60 * MINUTE_MS);
  });

  test('declared consumers have their time also where the next driver is two minutes ahead of the last', async () => {
    const consumer = { kind: 'application', name: 'job', within: 60 * MINUTE_MS } as const;
    const world = new World([resourceNamed('speech', { consumers: [consumer] })]);
    await world.begun();
    await world.tickUntil('draining');
    const promotedMs = world.nowMs;
    world.nowMs += 2 * MINUTE_MS;
    while (world.phase() === 'draining') {
      world.nowMs += MINUTE_MS;
      await world.rotation.tick();
    }
    assert.ok(world.nowMs - 2 * MINUTE_MS - promotedMs >= 60 * MINUTE_MS);
  });

  test('the lags of the new and the old key are measured and stay in the history', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('proving');
    const { Key1 } = world.account();
    world.account().refused.add(Key1);
    await world.tick();
    await world.tick();
    world.account().refused.delete(Key1);
    await world.tickUntil('promoting');
    const entry = world.history.find(
      ({ from, to }) => from === 'proving (Key1)' && to === 'promoting (Key2)',
    );
    assert.equal(entry?.newKeyLagMs, 15 * MINUTE_MS);
    assert.equal(entry?.oldKeyLagMs, 5 * MINUTE_MS);
    assert.ok(world.history.every(({ why, by }) => why !== '' && by.startsWith('test/')));
  });

  test('an old key that stays accepted is noted and not waited for without end', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('draining');
    const old = world.account().Key1;
    await world.tickUntil('proving');
    const since = world.nowMs;
    world.account().alsoAccepted.add(old);
    await world.tickUntil('promoting');
    assert.ok(world.nowMs - since < 60 * MINUTE_MS);
  });
});

describe('when something goes wrong', () => {
  test('a regenerate whose answer was lost is recognised by its fingerprint and never repeated', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('regenerating');
    const account = world.account();
    world.before = (call) => {
      if (!call.startsWith('regenerate')) return;
      account.refused.add(account.Key1);
      account.Key1 = world.makeKey();
      outage();
    };
    await world.tick();
    world.before = () => undefined;
    const made = account.Key1;
    await world.tick();
    assert.equal(world.phase(), 'proving');
    await world.tickUntil('promoting');
    assert.equal(account.Key1, made);
  });

  test('after a regenerate without an answer nothing is tried for two minutes: it may still land', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('regenerating');
    world.before = (call) => (call.startsWith('regenerate') ? outage() : undefined);
    await world.tick();
    const tries = () => world.row().state.work?.attempts;
    assert.equal(tries(), 1);
    world.nowMs += MINUTE_MS;
    await world.rotation.tick();
    assert.equal(tries(), 1);
    world.nowMs += 2 * MINUTE_MS;
    await world.rotation.tick();
    assert.equal(tries(), 2);
  });

  test('tries are bounded: stuck is said, with what to do, tried once an hour, and left as soon as it works', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('regenerating');
    world.before = (call) => (call.startsWith('regenerate') ? outage() : undefined);
    for (let ticks = 0; ticks < 20; ticks += 1) await world.tick();
    const [plan] = await world.plan();
    assert.match(plan?.state ?? '', /^stuck: regenerating/);
    assert.match(plan?.blocked?.what ?? '', /arm: test: down/);
    assert.ok(plan?.blocked?.advice);
    assert.equal(plan?.stuck, true);
    const attempts = world.row().state.work?.attempts ?? 0;
    for (let ticks = 0; ticks < 12; ticks += 1) await world.tick();
    assert.equal((world.row().state.work?.attempts ?? 0) - attempts, 1);
    world.before = () => undefined;
    await world.rotation.retireNow('speech', { emergency: false, reason: 'fixed' });
    await world.tickUntil(undefined);
  });

  test('a refused new key leaves the old one current', async () => {
    const world = new World();
    const { Key1, Key2 } = world.account();
    world.account().refused.add(Key2);
    await world.begun();
    for (let ticks = 0; ticks < 40; ticks += 1) await world.tick();
    assert.equal(world.current()?.value, Key1);
    assert.equal(world.account().Key1, Key1);
    assert.equal(world.phase(), 'promoting');
  });

  test('a driver that lost its lease in the middle of a step changes nothing', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('regenerating');
    const key = world.account().Key1;
    const other = world.driver('other');
    // It sleeps right after it has taken the lease, and another one goes by.
    let slept = false;
    world.before = (call) => {
      if (call !== 'row speech regenerating' || slept) return;
      slept = true;
      queueMicrotask(() => {
        world.nowMs += 6 * MINUTE_MS;
      });
    };
    await world.tick();
    assert.equal(world.account().Key1, key);
    world.before = () => undefined;
    world.nowMs += 5 * MINUTE_MS;
    await other.tick();
    assert.notEqual(world.account().Key1, key);
  });

  test('of drivers that saw the same row one acts, and the others change nothing', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('regenerating');
    world.nowMs += 5 * MINUTE_MS;
    const drivers = ['one', 'two', 'three'].map((name) => world.driver(name));
    const reports = await Promise.all(drivers.map((driver) => driver.tick()));
    const did = reports.flatMap(({ steps }) => steps.map((step) => step.did)).sort();
    assert.deepEqual(did, ['busy', 'busy', 'regenerate']);
    assert.equal(world.calls.filter((call) => call.startsWith('regenerate')).length, 1);
  });

  test('a crash leaves a lease that others respect for a while and then take over', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('regenerating');
    world.before = (call) => {
      if (call.startsWith('regenerate')) throw new Error('killed');
    };
    await assert.rejects(world.tick(), /killed/);
    world.before = () => undefined;
    assert.notEqual(world.row().lease.holder, '');
    world.nowMs += MINUTE_MS;
    assert.equal((await world.rotation.tick()).steps[0]?.did, 'busy');
    world.nowMs += 4 * MINUTE_MS;
    assert.equal((await world.rotation.tick()).steps[0]?.did, 'regenerate');
  });

  test('another version that becomes current while ours is written is not taken for ours', async () => {
    const world = new World();
    await world.begun();
    let interferes = true;
    let wrote = false;
    world.before = (call) => {
      if (call === 'current speech-key' && wrote && interferes) {
        interferes = false;
        world.addVersion('somebody else', {});
      }
      wrote ||= call === 'write speech-key';
    };
    await world.tickUntil('draining');
    assert.equal(interferes, false);
    assert.ok(world.history.some(({ why }) => why.includes('another version became current')));
    assert.ok(world.history.some(({ why }) => why === 'secret overwritten'));
    assert.equal(world.current()?.value, world.account().Key2);
  });
});
