import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHealthEndpoint } from '../../src/http/health.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

function world() {
  const state = {
    nowMs: 0,
    looks: 0,
    isDown: false,
    behind: 3 as number | undefined,
    gate: Promise.resolve(),
  };
  const health = createHealthEndpoint({
    snapshot: async () => ({ version: '1', revocations: new Map(), slots: new Map(), policy: undefined }),
    overdue: async () => {
      state.looks += 1;
      await state.gate;
      if (state.isDown) throw new UpstreamFailure('tables', 'is down');
      return { overdue: [], ofUnknownAge: ['speech'], unseen: ['chat'], lookedAtMs: -90_500 };
    },
    behind: async () => state.behind,
    clock: () => state.nowMs,
  });
  return { state, health };
}

test('1,000 calls at once and 1,000 more within five seconds are one query', async () => {
  const { state, health } = world();
  await Promise.all(Array.from({ length: 1000 }, health));
  for (let left = 1000; left > 0; left -= 1) {
    state.nowMs += 4;
    assert.deepEqual((await health()).jsonBody, {
      status: 'ok',
      rotations_overdue: 0,
      keys_of_unknown_age: 1,
      record_minutes_behind: 3,
      accounts_unseen: 1,
      accounts_seen_within_seconds: 91,
    });
  }
  assert.equal(state.looks, 1);
});

test('an answer is at most five seconds old, an outage like health', async () => {
  const { state, health } = world();
  await health();
  state.isDown = true;
  state.nowMs += 4_999;
  assert.equal((await health()).status, undefined);
  state.nowMs += 1;
  assert.equal((await health()).status, 503);
  state.isDown = false;
  state.nowMs += 5_000;
  assert.equal((await health()).status, undefined);
  assert.equal(state.looks, 3);
});

test('where no minute was ever closed, nothing is said of how far behind the closing is', async () => {
  const { state, health } = world();
  state.behind = undefined;
  assert.ok(!('record_minutes_behind' in ((await health()).jsonBody as object)));
});

test('there is one look at a time, however long it takes', async () => {
  const { state, health } = world();
  const gate = Promise.withResolvers<void>();
  state.gate = gate.promise;
  const slow = [health()];
  state.nowMs += 60_000;
  slow.push(health());
  gate.resolve();
  await Promise.all(slow);
  assert.equal(state.looks, 1);
  await health();
  assert.equal(state.looks, 2, 'and what it found is old by now');
});

test('an app that cannot read the policy in force is out of service, and says why', async () => {
  const health = createHealthEndpoint({
    snapshot: async () => {
      throw new UpstreamFailure('policy', 'this version of the app cannot read the policy in force');
    },
    overdue: async () => assert.fail('nobody knows which accounts there are'),
    behind: async () => 0,
    clock: () => 0,
  });
  const { status, jsonBody } = await health();
  assert.equal(status, 503);
  assert.equal(jsonBody.service, 'policy');
  assert.match(jsonBody.detail, /cannot read the policy in force/);
});
