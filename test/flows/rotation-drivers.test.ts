import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_TIMER, rotationOf } from './rotation-hand.ts';
import { startStack } from './stack.ts';

const MAX_ROUNDS = 25;

test('of three drivers at once on one resource exactly one acts, and the others change nothing', async () => {
  await using stack = await startStack(['--instances', '3'], NO_TIMER);
  const { instances } = stack.description;
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
    // Looking takes a while then: all three have seen the same row before the first can act.
    const delayMs = { promoting: 300, draining: 0, regenerating: 1_000, proving: 0 }[phase];
    await stack.control('PUT', '/faults/arm', { mode: 'slow', delayMs });
    await rotation.tick(instances);
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
