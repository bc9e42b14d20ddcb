import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_TIMER, rotationOf } from './rotation-hand.ts';
import { startStack } from './stack.ts';

const MOST_ROUNDS = 25;

test('of three drivers at once on one resource exactly one acts, and the others change nothing', async () => {
  await using stack = await startStack(['--instances', '3'], NO_TIMER);
  const { instances } = stack.description;
  const rotation = rotationOf(stack);
  assert.ok(await rotation.begin('speech', 'Key1'));
  const { last } = await rotation.requests();
  const before = await rotation.fenceOf('speech');
  // Looking takes a while, so all three have seen the same row before the first can act.
  await stack.control('PUT', '/faults/arm', { mode: 'slow', delayMs: 300 });

  let rounds = 0;
  let regeneratedAmong = 0;
  let seen = last;
  while ((await rotation.row('speech'))?.state.work !== undefined) {
    rounds += 1;
    assert.ok(rounds <= MOST_ROUNDS, 'it never ends');
    const isDraining = (await rotation.row('speech'))?.state.work?.phase.name === 'draining';
    await stack.control('POST', '/clock', { advanceSeconds: isDraining ? 900 : 130 });
    await rotation.tick(instances);
    const asked = await rotation.requests(seen);
    seen = asked.last;
    const ofSpeech = asked.requests.filter(({ resource }) => resource === 'speech');
    const count = (operation: string) => ofSpeech.filter((one) => one.operation === operation).length;
    if (count('regenerateKey') > 0) regeneratedAmong = count('listKeys');
  }

  assert.equal(regeneratedAmong, 3, 'three drivers were at it when the key was regenerated');
  const { requests } = await rotation.requests(last);
  const changes = ['regenerateKey', 'setSecret', 'updateSecret'];
  const made = requests.filter(({ operation }) => changes.includes(operation));
  const sorted = made.map(({ operation, status }) => `${operation} ${status}`).sort();
  assert.deepEqual(sorted, ['regenerateKey 200', 'setSecret 200', 'updateSecret 200']);
  // Each taking of the lease raises the fence: no round had more than one.
  const taken = (await rotation.fenceOf('speech')) - before;
  assert.ok(taken <= rounds, `the lease was taken ${taken} times in ${rounds} rounds`);
});
