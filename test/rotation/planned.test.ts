import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outage, resourceNamed, World } from './world.ts';

test('what the rotator has not looked at yet is told so, and its keys are of unknown age', async () => {
  const world = new World();
  assert.deepEqual(await world.planned().plan(), [
    {
      resource: 'speech',
      state: 'not seen yet',
      next: 'the rotator app looks with its next tick',
      overdue: false,
      steps: [],
    },
  ]);
  assert.deepEqual(await world.overdue(), { overdue: [], ofUnknownAge: ['speech'] });
});

test('a tick leaves the plan of every resource, with what comes next and as of when', async () => {
  const world = new World(['speech', 'translator'].map((name) => resourceNamed(name)));
  await world.tick();
  const [adopted] = await world.planned().plan();
  assert.deepEqual([adopted?.state, adopted?.next], ['steady', 'goes on with the next tick']);
  await world.tick();
  const plans = await world.planned().plan();
  assert.deepEqual(
    plans.map(({ state, next }) => [state, next]),
    Array(2).fill(['steady', 'the next rotation is not due']),
  );
  for (const { asOf, at, dueAt, steps } of plans) {
    assert.equal(Date.parse(asOf ?? ''), world.nowMs);
    assert.equal(at, dueAt);
    assert.equal(steps.length, 1);
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
    const [told] = await world.planned().plan();
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
  const [plan] = await world.planned().plan();
  assert.deepEqual([plan?.state, plan?.next], ['steady', 'waits until everything can be seen']);
  assert.match(plan?.blocked ?? '', /arm/);
});

test('an account whose keys cannot be tried is told as not rotated, and is not of unknown age', async () => {
  const unknown = { ...resourceNamed('face'), kind: 'Unknown' };
  const world = new World([unknown]);
  await world.tick();
  const [plan] = await world.planned().plan();
  assert.equal(plan?.state, 'not rotated');
  assert.match(plan?.next ?? '', /kind Unknown/);
  assert.deepEqual(await world.overdue(), { overdue: [], ofUnknownAge: [] });
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
