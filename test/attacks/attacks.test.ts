/** Every row of the table, once. What it costs is measured by `npm run attack`. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Broker, startBroker } from './broker.ts';
import { runAttack } from './run.ts';
import { table } from './table.ts';

let broker: Broker & AsyncDisposable;
before(async () => {
  broker = await startBroker();
});
after(() => broker[Symbol.asyncDispose]());

for (const [kind, attacks] of Object.entries(table))
  describe(kind, () => {
    for (const attack of attacks)
      test(attack.what, { todo: attack.pending === true }, async () => {
        const { problems } = await runAttack(broker, attack);
        assert.deepEqual(problems, []);
      });
  });

test('after all of it a good caller is served, and the log has no bug in it', async () => {
  const answer = await broker.stack.exchange(await broker.stack.callerToken('captions'), 'speech');
  assert.equal(answer.status, 200, answer.text);
  assert.doesNotMatch(broker.stack.log(), /TypeError|RangeError|ReferenceError|SyntaxError/);
});
