import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { afterBlackoutMs, dueAtMs, overdueAtMs } from '../../src/rotation/due.ts';
import { createPace, subscriptionOf } from '../../src/rotation/pace.ts';
import { createRotation } from '../../src/rotation/rotate.ts';
import { Secret } from '../../src/secret.ts';
import { keyOf, MINUTE_MS, outage, resourceNamed, START_MS, World } from './world.ts';

const DAY_MS = 86_400_000;
const rotation = resourceNamed('speech').rotation ?? assert.fail();
const rotatedAt = (ms: number) => ({ adoptedAtMs: 0, rotatedAtMs: ms, bornAtMs: { Key1: ms, Key2: ms } });

describe('when a rotation is due', () => {
  test('a fleet adopted at once is spread over a tenth of the period, and no key is older than the period', () => {
    const dues = Array.from({ length: 500 }, (_, n) => dueAtMs(`speech-${n}`, rotation, rotatedAt(0)));
    assert.ok(Math.max(...dues) <= rotation.period);
    assert.ok(Math.min(...dues) >= 0.9 * rotation.period);
    assert.ok(new Set(dues).size > 490);
    const busiestDay = Math.max(
      ...[27, 28, 29].map((day) => dues.filter((due) => Math.floor(due / DAY_MS) === day).length),
    );
    assert.ok(busiestDay < 250, `${busiestDay} of 500 on one day`);
  });

  test('no rotation starts in the blackout, over midnight too, and it starts right after', () => {
    const within = { ...rotation, blackout: { from: '22:00', to: '06:30' } };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (atMs) => {
        const startMs = afterBlackoutMs(within, atMs);
        const minuteOfDay = Math.floor((startMs % DAY_MS) / MINUTE_MS);
        assert.ok(minuteOfDay >= 6 * 60 + 30 && minuteOfDay < 22 * 60);
        assert.ok(startMs === atMs || startMs % DAY_MS === 6.5 * 60 * MINUTE_MS);
        assert.ok(startMs >= atMs && startMs - atMs <= 8.5 * 60 * MINUTE_MS);
      }),
    );
  });

  test('a rotation that is due starts by itself, waits for the blackout, and goes on through one', async () => {
    const world = new World([resourceNamed('speech', { blackout: { from: '11:00', to: '13:00' } })]);
    await world.tick();
    world.nowMs = START_MS + 30 * DAY_MS;
    await world.tick();
    assert.equal(world.phase(), undefined);
    world.nowMs = START_MS + 30 * DAY_MS + 60 * MINUTE_MS;
    await world.tick();
    assert.equal(world.phase(), 'promoting');
    world.nowMs = START_MS + 31 * DAY_MS;
    await world.tick();
    await world.tick();
    await world.tickUntil('draining');
  });

  test('paused: nothing starts and nothing goes on, drift is healed, an emergency is served', async () => {
    const world = new World([resourceNamed('speech', { paused: true })]);
    await world.tick();
    world.nowMs += 60 * DAY_MS;
    await world.tick();
    assert.equal(world.phase(), undefined);
    const refused = await world.rotation.retireNow('speech', { emergency: false, reason: 'test' });
    assert.deepEqual([refused?.kind, refused?.problem?.code], ['notBegun', 'paused']);
    world.secrets.clear();
    await world.tick();
    assert.equal(world.current()?.value, world.account().Key1);
    const served = await world.rotation.retireNow('speech', {
      slot: 'Key1',
      emergency: true,
      reason: 'leaked',
    });
    assert.equal(served?.kind, 'begun');
    assert.deepEqual((await world.overdue()).overdue, []);
  });

  test('an overdue rotation is noticed without a tick', async () => {
    const world = new World();
    await world.tick();
    assert.deepEqual((await world.overdue()).overdue, []);
    world.nowMs = overdueAtMs('speech', rotation, rotatedAt(START_MS + 5 * MINUTE_MS)) + 1;
    assert.deepEqual((await world.overdue()).overdue, ['speech']);
  });
});

test('an account whose keys are switched off is never overdue: there is nothing to rotate', async () => {
  const world = new World();
  await world.tick();
  world.account().refusal = 'localAuthDisabled';
  await world.tick();
  world.nowMs += 60 * DAY_MS;
  await world.tick();
  assert.deepEqual((await world.overdue()).overdue, []);
  assert.ok(!world.logged.some((line) => line.startsWith('rotation_overdue')));
});

describe('many resources', () => {
  test('one that fails, by an outage or by a bug, stops no other', async () => {
    const world = new World(['one', 'two', 'three', 'four'].map((name) => resourceNamed(name)));
    world.before = (call) => {
      if (call === 'listKeys two') outage();
      if (call === 'listKeys three') throw new TypeError('a bug');
    };
    await assert.rejects(world.tick(), TypeError);
    assert.ok(world.rows.has(keyOf('one')) && world.rows.has(keyOf('four')));
    world.before = (call) => (call === 'listKeys two' ? outage() : undefined);
    const report = await world.tick();
    assert.deepEqual(report.unreachable, ['two']);
    assert.ok(world.rows.has(keyOf('three')));
    assert.ok(world.logged.some((line) => line.startsWith('rotation_unreachable') && line.includes('two')));
  });

  test('a row that cannot be read stops only its own resource', async () => {
    const world = new World(['one', 'two'].map((name) => resourceNamed(name)));
    await world.tick();
    world.rows.set(keyOf('one'), 'unreadable');
    const report = await world.tick();
    assert.deepEqual([report.unreachable, report.waiting], [['one'], 1]);
    const [one, two] = await world.plan();
    assert.equal(one?.state, 'unreadable');
    assert.ok(one?.blocked?.advice?.includes(`rotation/${keyOf('one')}`));
    assert.equal(two?.state, 'steady');
    await assert.rejects(
      world.rotation.retireNow('one', { emergency: true, reason: 'leaked' }),
      /the row of one|rotation row of one/,
    );
  });

  test('a tick with nothing due is one query, one listKeys and one read each, and writes nothing', async () => {
    const names = Array.from({ length: 40 }, (_, n) => `speech-${n}`);
    const world = new World(names.map((name) => resourceNamed(name)));
    await world.tick();
    world.calls.length = 0;
    const report = await world.tick();
    assert.equal(report.waiting, 40);
    const kinds = world.calls.map((call) => call.split(' ')[0]);
    assert.deepEqual(
      [kinds.filter((kind) => kind === 'query').length, kinds.filter((kind) => kind === 'listKeys').length],
      [1, 40],
    );
    assert.equal(kinds.length, 1 + 2 * 40);
  });

  test('rotations under way come before all others', async () => {
    const world = new World(['one', 'two', 'three'].map((name) => resourceNamed(name)));
    await world.tick();
    await world.rotation.retireNow('three', { emergency: false, reason: 'test' });
    world.calls.length = 0;
    await world.tick();
    assert.equal(
      world.calls.find((call) => call.startsWith('listKeys')),
      'listKeys three',
    );
  });

  test('when Azure Resource Manager says 429 the rest of the subscription waits for the next tick', async () => {
    const { UpstreamFailure } = await import('../../src/upstream.ts');
    const world = new World(Array.from({ length: 60 }, (_, n) => resourceNamed(`speech-${n}`)));
    world.before = (call) => {
      if (call.startsWith('listKeys')) throw new UpstreamFailure('arm', 'listKeys', 429, 17);
    };
    const report = await world.tick();
    assert.equal(report.unreachable.length + report.postponed, 60);
    assert.ok(report.unreachable.length <= 16, `${report.unreachable.length} asked all the same`);
  });

  test('what the timer did before the tick is part of its time: the host would end it in the middle of a step', async () => {
    const world = new World();
    const report = await world.rotation.tick(performance.now() - 240_001);
    assert.deepEqual([report.postponed, world.calls], [1, ['query rows']]);
  });

  test('what has no secret, no rotation, or no way to prove a key is left alone', async () => {
    const { secret: _, ...without } = resourceNamed('plain');
    const { rotation: __, ...kept } = resourceNamed('kept');
    const world = new World([without, kept, resourceNamed('odd', {}, 'Unknown')]);
    const report = await world.tick();
    assert.equal(report.resources, 0);
    assert.deepEqual(world.calls, ['query rows']);
    assert.ok(world.logged.some((line) => line.startsWith('rotation_not_covered') && line.includes('odd')));
  });

  test('calls in one subscription are paced below its limit, and those in another do not wait for them', async () => {
    const waits: number[] = [];
    let nowMs = 0;
    const pace = createPace(
      () => nowMs,
      async (ms) => void waits.push(ms),
    );
    for (let call = 0; call < 150; call += 1) await pace('one');
    assert.deepEqual(waits, []);
    await pace('two');
    assert.deepEqual(waits, []);
    for (let call = 0; call < 8; call += 1) await pace('one');
    assert.equal(waits.at(-1), 1000);
    // What somebody asked for has the rest of the limit, so it does not wait for a tick over many accounts.
    for (let call = 0; call < 42; call += 1) await pace('one', 'onDemand');
    assert.equal(waits.length, 8);
    await pace('one', 'onDemand');
    assert.equal(waits.length, 9);
    nowMs = 60_000;
    await pace('one');
    assert.equal(waits.length, 9);
    assert.equal(subscriptionOf('/subscriptions/ABC/resourceGroups/x'), 'abc');
  });
});

describe('on demand', () => {
  test('each look at an account is paced too: whoever invents demands or events uses up no limit of Azure', async () => {
    const world = new World();
    let paced = 0;
    const pace = async () => {
      paced += 1;
    };
    const rotation = createRotation(world.ports(), world.resources, 'paced', pace);
    const looks = () => world.calls.filter((call) => call.startsWith('listKeys')).length;
    await rotation.retireNow('speech', { emergency: true, reason: 'leaked', demand: 'one' });
    assert.ok(looks() > 4);
    assert.equal(paced, looks());
    await rotation.heal('speech');
    assert.equal(paced, looks());
  });

  test('an emergency raises the epoch, skips the drain and says so, and the other slot stays current', async () => {
    const world = new World();
    await world.tick();
    world.ledger.set('speech Key1', world.nowMs + 60 * MINUTE_MS);
    const { Key1, Key2 } = world.account();
    const done = await world.rotation.retireNow('speech', {
      slot: 'Key1',
      emergency: true,
      reason: 'leaked',
    });
    assert.equal(done?.kind, 'begun');
    assert.notEqual(world.account().Key1, Key1, 'regenerated at once');
    assert.equal(world.current()?.value, Key2);
    assert.equal(world.row().state.epoch, 2);
    assert.ok(
      world.history.some(({ why, emergency }) => emergency && why === 'emergency: the drain is skipped'),
    );
    await world.tickUntil(undefined);
    assert.equal(world.account().Key2, Key2);
  });

  test('what is bought with a leaked key until another takes its place is not handed out after it either', async () => {
    const world = new World();
    await world.tick();
    const { Key1, Key2 } = world.account();
    world.account().refused.add(Key2);
    await world.rotation.retireNow('speech', { slot: 'Key1', emergency: true, reason: 'leaked' });
    // Key2 is refused, so tokens are still bought with Key1: they are of this epoch.
    const { epoch } = world.row().state;
    assert.equal(world.account().Key1, Key1);
    world.account().refused.clear();
    await world.tickUntil('proving');
    assert.notEqual(world.account().Key1, Key1);
    assert.ok(world.row().state.epoch > epoch);
  });

  test('asked twice it is one emergency, and the head row is bumped each time', async () => {
    const world = new World();
    await world.tick();
    world.account().refused.add(world.account().Key2);
    const request = { slot: 'Key1', emergency: true, reason: 'leaked' } as const;
    await world.rotation.retireNow('speech', request);
    const { bumps } = world;
    await world.rotation.retireNow('speech', request);
    assert.equal(world.row().state.epoch, 1);
    assert.ok(world.bumps > bumps);
  });

  test('the new key of an emergency leaks too, before it is proved: it is replaced as well', async () => {
    const world = new World();
    await world.tick();
    world.account().alsoAccepted.add(world.account().Key1);
    const request = { slot: 'Key1', emergency: true, reason: 'leaked' } as const;
    await world.rotation.retireNow('speech', request);
    assert.equal(world.phase(), 'proving');
    const leaked = world.account().Key1;
    await world.rotation.retireNow('speech', request);
    assert.notEqual(world.account().Key1, leaked);
    assert.equal(world.row().state.epoch, 4);
    await world.tickUntil(undefined);
  });

  test('the retired key put back by hand in its emergency can be bought with: nothing else can', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('draining');
    const { Key1, Key2 } = world.account();
    world.account().refused.add(Key2);
    world.addVersion(Key1, {});
    await world.rotation.retireNow('speech', { slot: 'Key1', emergency: true, reason: 'leaked' });
    await world.tick();
    const { active, retiring } = world.row().state;
    assert.equal(active, 'Key1');
    assert.equal(retiring, undefined);
  });

  test('an emergency on the other slot comes first, and what was under way goes on after it with its drain', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil('draining');
    const { Key1, Key2 } = world.account();
    await world.rotation.retireNow('speech', { slot: 'Key2', emergency: true, reason: 'leaked' });
    assert.notEqual(world.account().Key2, Key2);
    assert.equal(world.account().Key1, Key1);
    await world.tickUntil('draining');
    assert.equal(world.row().state.work?.emergency, false);
    world.ledger.set('speech Key1', world.nowMs + 30 * MINUTE_MS);
    await world.tick();
    assert.equal(world.account().Key1, Key1);
    await world.tickUntil(undefined);
    assert.notEqual(world.account().Key1, Key1);
  });

  test('a slot asked for while the other one is retired comes after it, once', async () => {
    const world = new World();
    await world.tick();
    const before = { ...world.account() };
    for (const slot of ['Key1', 'Key2', 'Key2'] as const) {
      const asked = await world.rotation.retireNow('speech', { slot, emergency: false, reason: 'test' });
      assert.equal(asked?.kind, 'begun');
    }
    await world.tickUntil(undefined);
    assert.notEqual(world.account().Key1, before.Key1);
    assert.notEqual(world.account().Key2, before.Key2);
    assert.equal(world.calls.filter((call) => call.startsWith('regenerate')).length, 2);
  });

  test('an emergency of both keys does not wait until the first old key is forgotten', async () => {
    const world = new World();
    await world.tick();
    const { Key1, Key2 } = world.account();
    world.account().alsoAccepted.add(Key1);
    await world.rotation.retireNow('speech', { emergency: true, reason: 'both leaked' });
    assert.notEqual(world.account().Key1, Key1);
    assert.notEqual(world.account().Key2, Key2, 'regenerated in the same call');
  });

  test('while another driver is at it the request fails, so that it is made again', async () => {
    const world = new World();
    await world.begun();
    const row = world.row();
    world.rows.set(keyOf('speech'), {
      ...row,
      lease: { holder: 'other', fence: 99, takenAtMs: world.nowMs },
    });
    await assert.rejects(
      world.rotation.retireNow('speech', { emergency: true, reason: 'leaked' }),
      /another driver is at speech/,
    );
    assert.equal(world.row().state.epoch, 0);
  });

  test('a resource that was never seen is adopted first; an unknown one is undefined', async () => {
    const world = new World();
    const done = await world.rotation.retireNow('speech', { emergency: false, reason: 'test' });
    assert.equal(done?.kind, 'begun');
    assert.equal(await world.rotation.retireNow('nothing', { emergency: false, reason: 'test' }), undefined);
  });

  test('the slot of a leaked key is found by its hash; an account that cannot be asked is no denial', async () => {
    const world = new World(['one', 'two'].map((name) => resourceNamed(name)));
    const { Key2 } = world.account('two');
    const { sha256 } = new Secret(Key2);
    assert.deepEqual(await world.rotation.findSlotByKeyHash(sha256, undefined), {
      resource: 'two',
      slot: 'Key2',
    });
    for (const wrong of ['one', 'none'])
      assert.equal((await world.rotation.findSlotByKeyHash(sha256, wrong))?.resource, 'two');
    world.before = (call) => (call === 'listKeys one' ? outage() : undefined);
    assert.deepEqual(await world.rotation.findSlotByKeyHash(sha256, undefined), {
      resource: 'two',
      slot: 'Key2',
    });
    await assert.rejects(world.rotation.findSlotByKeyHash('0'.repeat(64), undefined), /arm/);
  });

  test('300 made-up keys cost two looks at each account, and a real one among them is found', async () => {
    const world = new World(['one', 'two'].map((name) => resourceNamed(name)));
    let looks = 0;
    world.before = (call) => {
      if (call.startsWith('listKeys ')) looks += 1;
    };
    const { sha256 } = new Secret(world.account('two').Key1);
    const madeUp = Array.from({ length: 299 }, (_, n) => n.toString(16).padStart(64, '0'));
    const found = await Promise.all(
      [...madeUp, sha256].map((each) => world.rotation.findSlotByKeyHash(each, undefined)),
    );
    assert.deepEqual(found.filter(Boolean), [{ resource: 'two', slot: 'Key1' }]);
    assert.ok(looks <= 4, String(looks));
  });

  test('a leaked key may be in an account whose role was taken away: it is not said to be nowhere', async () => {
    const world = new World(['one', 'two'].map((name) => resourceNamed(name)));
    world.account('one').refusal = 'forbidden';
    await assert.rejects(world.rotation.findSlotByKeyHash('0'.repeat(64), undefined), /arm: may not list/);
    const { sha256 } = new Secret(world.account('two').Key1);
    assert.equal((await world.rotation.findSlotByKeyHash(sha256, 'one'))?.resource, 'two');
    for (const gone of ['notFound', 'localAuthDisabled'] as const) {
      world.account('one').refusal = gone;
      assert.equal(await world.rotation.findSlotByKeyHash('0'.repeat(64), undefined), undefined);
    }
  });

  test('the plan says the next step, when, and what blocks it, also of what cannot be seen', async () => {
    const world = new World(['one', 'two'].map((name) => resourceNamed(name)));
    await world.tick();
    world.before = (call) => (call === 'listKeys two' ? outage() : undefined);
    const [one, two] = await world.plan();
    assert.equal(one?.state, 'steady');
    assert.equal(one?.next?.what, 'the next rotation is not due');
    assert.equal(one?.next?.at, one?.dueAt);
    assert.match(two?.blocked?.what ?? '', /arm/);
    assert.deepEqual([one?.blocked, two?.blocked?.code], [undefined, 'service_fails']);
    assert.match(two?.blocked?.advice ?? '', /health of the service/);
  });

  test('no key stands in a row, the history, a log line or a plan', async () => {
    const world = new World();
    await world.begun();
    await world.tickUntil(undefined);
    const written = JSON.stringify([...world.rows, ...world.history, ...world.logged, await world.plan()]);
    assert.ok(written.length > 1000);
    assert.ok(!written.includes('account-key-'));
  });
});
