import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startChild } from '../../src/local/children.ts';
import type { InstanceOptions } from '../../src/local/instance.ts';
import { NO_TIMER, rotationOf } from './rotation-hand.ts';
import { type Stack, startStack } from './stack.ts';

const MAX_ROUNDS = 25;

test('of three drivers at once on one resource exactly one acts, and the others change nothing', async () => {
  await using stack = await startStack([], NO_TIMER);
  // Azure may run several instances of the rotator app, for its queues or while one replaces another.
  await using others = await startRotators(stack, 2);
  const rotators = [...stack.description.apps.rotator, ...others.urls];
  const rotation = rotationOf(stack);
  assert.ok(await rotation.begin('speech', 'Key1'));
  const { last } = await rotation.requests();

  let rounds = 0;
  let regeneratedAmong = 0;
  let seen = last;
  const phaseNow = async () => (await rotation.row('speech'))?.state.work?.phase.name;
  for (let phase = await phaseNow(); phase !== undefined; phase = await phaseNow()) {
    rounds += 1;
    assert.ok(rounds <= MAX_ROUNDS, 'it never ends');
    await stack.control('POST', '/clock', { advanceSeconds: phase === 'draining' ? 900 : 130 });
    await others.follow();
    // Looking takes a while then: all three have seen the same row before the first can act.
    const delayMs = { promoting: 300, draining: 0, regenerating: 1_000, proving: 0 }[phase];
    await stack.control('PUT', '/faults/arm', { mode: 'slow', delayMs });
    await rotation.tick(rotators);
    const asked = await rotation.requests(seen);
    seen = asked.last;
    const ofSpeech = asked.requests.filter(({ resource }) => resource === 'speech');
    const count = (operation: string) => ofSpeech.filter((one) => one.operation === operation).length;
    if (count('regenerateKey') > 0) regeneratedAmong = count('listKeys');
  }

  assert.equal(regeneratedAmong, 3, 'all three were at it when the key was regenerated');
  const { requests } = await rotation.requests(last);
  const changes = ['regenerateKey', 'setSecret', 'updateSecret'];
  const made = requests.filter(({ operation }) => changes.includes(operation));
  const sorted = made.map(({ operation, status }) => `${operation} ${status}`).sort();
  assert.deepEqual(sorted, ['regenerateKey 200', 'setSecret 200', 'updateSecret 200']);
});

/** More hosts of the rotator app on the same simulated Azure. Their log goes where the stack's own does. */
async function startRotators(stack: Stack, count: number) {
  const { ca, control, environment } = stack.description;
  const clock = (await (await fetch(`${control}/clock`)).json()) as { now: string; speed: number };
  const children = Array.from({ length: count }, (_, index) =>
    startChild({
      name: `rotator-${index + 2}`,
      script: new URL('../../src/local/instance.ts', import.meta.url),
      options: {
        appFolder: join(import.meta.dirname, '../../functions/rotator'),
        name: `rotator-${index + 2}`,
        port: 0,
        timerState: join(ca, `../timers-${index + 2}.json`),
      } satisfies InstanceOptions,
      clock: { wallMs: Date.now(), virtualMs: Date.parse(clock.now), speed: clock.speed },
      environment: { NODE_EXTRA_CA_CERTS: ca },
      log: stack.alsoLog,
      died: assert.fail,
    }),
  );
  for (const child of children) child.send({ kind: 'settings', settings: environment.rotator });
  await Promise.all(children.map(({ ready }) => ready));
  return {
    urls: await Promise.all(children.map(async ({ bound }) => (await bound)[0])),
    /** The control service moves the clocks of the stack's own processes only. */
    follow: async () => {
      const { now, speed } = (await (await fetch(`${control}/clock`)).json()) as typeof clock;
      const state = { wallMs: Date.now(), virtualMs: Date.parse(now), speed };
      await Promise.all(children.map((child) => child.setClock(state, 2_000)));
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(children.map((child) => child.stop(1_000)));
    },
  };
}
