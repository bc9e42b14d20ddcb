import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountKey } from '../../src/account-key.ts';
import { sha256 } from '../../src/secret.ts';
import { outage, resourceNamed, World } from './world.ts';

test('what the rotator has not looked at yet is told so, and its keys are of unknown age', async () => {
  const world = new World();
  const [account] = await world.planned().accounts();
  assert.deepEqual(
    [account?.name, account?.rotates, account?.next, account?.slots],
    ['speech', true, { what: 'the rotator app looks with its next tick' }, undefined],
  );
  const never = { unseen: ['speech'], lookedAtMs: undefined };
  assert.deepEqual(await world.overdue(), { overdue: [], ofUnknownAge: ['speech'], ...never });
});

test('a tick leaves the plan of every resource, with what comes next and as of when', async () => {
  const world = new World(['speech', 'translator'].map((name) => resourceNamed(name)));
  await world.tick();
  const [adopted] = await world.planned().accounts();
  assert.deepEqual([adopted?.state, adopted?.next?.what], ['steady', 'goes on with the next tick']);
  await world.tick();
  const plans = await world.planned().accounts();
  assert.deepEqual(
    plans.map(({ state, next }) => [state, next?.what]),
    Array(2).fill(['steady', 'the next rotation is not due']),
  );
  for (const { name, asOf, next, dueAt, phase, active, slots } of plans) {
    assert.equal(Date.parse(asOf ?? ''), world.nowMs);
    assert.equal(next?.at, dueAt);
    assert.equal((await world.planned().history(name, 9, undefined))?.length, 1);
    assert.deepEqual(
      [phase, active, slots?.map(({ state }) => state)],
      ['steady', 'Key1', ['active', 'spare']],
    );
    const { Key1, Key2 } = world.account(name);
    const prints = [Key1, Key2].map((key) => sha256(key).slice(0, 16));
    assert.deepEqual(
      slots?.map(({ fingerprint }) => fingerprint),
      prints,
    );
  }
});

test('the plan of a tick is what another look finds, without a call more', async () => {
  const world = new World();
  await world.begun();
  for (let ticks = 0; ticks < 6; ticks += 1) {
    const before = world.calls.length;
    await world.tick();
    const asked = world.calls.slice(before).filter((call) => call.startsWith('listKeys')).length;
    assert.ok(asked <= 2, `${asked} looks at the account in one tick`);
    const [told] = await world.planned().accounts();
    const [seen] = await world.plan();
    assert.equal(told?.state, seen?.state);
  }
});

test('what cannot be seen is told with the reason, and the rest stands', async () => {
  const world = new World();
  await world.tick();
  world.before = (call) => {
    if (call === 'listKeys speech') outage();
  };
  await world.tick();
  const [plan] = await world.planned().accounts();
  assert.deepEqual([plan?.state, plan?.next?.what], ['steady', 'waits until everything can be seen']);
  assert.match(plan?.blocked?.what ?? '', /arm/);
});

test('an account whose keys cannot be tried is told as not rotated, and is not of unknown age', async () => {
  const unknown = { ...resourceNamed('face'), kind: 'Unknown' };
  const world = new World([unknown]);
  await world.tick();
  const [plan] = await world.planned().accounts();
  assert.equal(plan?.state, 'not rotated');
  assert.match(plan?.blocked?.what ?? '', /kind Unknown/);
  assert.equal(plan?.blocked?.code, 'kind_not_covered');
  const seen = { unseen: [], lookedAtMs: world.nowMs };
  assert.deepEqual(await world.overdue(), { overdue: [], ofUnknownAge: [], ...seen });
});

test('a plan that cannot be told makes no demand wait again whose rotation has begun', async () => {
  const world = new World();
  world.before = (call) => {
    if (call === 'query rows') outage();
  };
  await world.rotation.tellPlan('speech');
  assert.ok(world.logged.some((line) => line.startsWith('rotation_plan_not_written')));
});

test('plans that cannot be written stop no rotation', async () => {
  const world = new World();
  world.before = (call) => {
    if (call === 'plans') outage();
  };
  const { steps } = await world.tick();
  assert.equal(steps.length, 1);
  assert.ok(world.logged.some((line) => line.startsWith('rotation_plan_not_written')));
});

test('while a slot drains its account says until when a token of it may live, and since when its keys are', async () => {
  const world = new World();
  await world.begun();
  await world.tickUntil('draining');
  const untilMs = world.nowMs + 300_000;
  const { account } = world.row();
  world.ledger.set(`${account.split(':').at(-1)} Key1`, untilMs);
  await world.tick();
  const [told] = await world.planned().accounts();
  const [one, two] = told?.slots ?? [];
  assert.deepEqual([told?.phase, one?.state, two?.state], ['draining', 'retiring', 'active']);
  assert.equal(one?.tokensUntil, new Date(untilMs).toISOString());
  await world.tickUntil(undefined);
  const [over] = await world.planned().accounts();
  for (const { slot, since } of over?.slots ?? [])
    assert.equal(since, new Date(world.row().state.bornAtMs[slot] ?? 0).toISOString());
});

test('one account, asked for by name, says of each slot until when a token of it may live, and of none that is over', async () => {
  const world = new World();
  await world.tick();
  world.ledger.set('speech Key1', world.nowMs + 600_000);
  world.ledger.set('speech Key2', world.nowMs - 1);
  const told = await world.planned().account('speech');
  assert.deepEqual(
    told?.slots?.map(({ tokensUntil }) => tokensUntil),
    [new Date(world.nowMs + 600_000).toISOString(), undefined],
  );
  assert.equal(await world.planned().account('nobody'), undefined);
});

test('a pause beats the policy in both directions, is told with who and why, and an emergency ignores it', async () => {
  const paused = { paused: true, by: 'olga', reason: 'an audit', at: '2026-11-22T12:00:00.000Z' };
  const key = accountKey(resourceNamed('speech').accountId);
  const world = new World();
  await world.tick();
  world.pauses.set(key, paused);
  const ordinary = { emergency: false, reason: 'r', demand: '1' };
  assert.equal((await world.rotation.retireNow('speech', ordinary))?.kind, 'notBegun');
  world.nowMs += 90 * 86_400_000;
  await world.tick();
  assert.equal(world.phase(), undefined);
  const { paused: _, ...who } = paused;
  assert.deepEqual((await world.planned().account('speech'))?.paused, who);
  assert.deepEqual((await world.overdue()).overdue, []);
  assert.equal(
    (await world.rotation.retireNow('speech', { emergency: true, reason: 'leak', demand: '2' }))?.kind,
    'begun',
  );
  assert.ok(world.history.some(({ why }) => why.includes('an emergency ignores the pause')));
  await world.tickUntil(undefined);

  const frozen = resourceNamed('speech', { paused: true });
  const policy = new World([frozen]);
  await policy.tick();
  assert.equal((await policy.planned().account('speech'))?.paused?.by, 'the policy');
  assert.equal((await policy.rotation.retireNow('speech', ordinary))?.kind, 'notBegun');
  policy.pauses.set(key, { ...paused, paused: false });
  assert.equal((await policy.planned().account('speech'))?.paused, undefined);
  assert.equal((await policy.rotation.retireNow('speech', ordinary))?.kind, 'begun');
});
