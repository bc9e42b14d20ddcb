import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rememberVerified } from '../../src/exchange/verified.ts';
import type { VerifyCaller } from '../../src/exchange/verify.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { aCaller, NOW_MS } from './caller.ts';

function world(answer: VerifyCaller) {
  const state = { nowMs: NOW_MS, asked: [] as string[] };
  const verify = rememberVerified(
    (token) => {
      state.asked.push(token);
      return answer(token);
    },
    () => state.nowMs,
  );
  return { state, verify };
}

test('a token is verified once in five minutes', async () => {
  const caller = aCaller();
  const { state, verify } = world(async () => caller);
  assert.equal(await verify('a'), caller);
  state.nowMs += 299_999;
  assert.equal(await verify('a'), caller);
  assert.equal(state.asked.length, 1);
  state.nowMs += 1;
  await verify('a');
  assert.equal(state.asked.length, 2);
});

test("a token's own end is its end, remembered or not", async () => {
  const caller = aCaller({ expiresAtSeconds: NOW_MS / 1000 + 10 });
  const { state, verify } = world(async () =>
    state.nowMs < NOW_MS + 10_000 ? caller : { kind: 'caller_unverified', fault: 'expired' },
  );
  await verify('a');
  state.nowMs += 9_999;
  assert.equal(await verify('a'), caller);
  state.nowMs += 1;
  assert.deepEqual(await verify('a'), { kind: 'caller_unverified', fault: 'expired' });
});

test('a refusal and an outage are remembered for nobody', async () => {
  let isDown = true;
  const { state, verify } = world(async () => {
    if (isDown) throw new UpstreamFailure('entra', 'is down');
    return { kind: 'caller_unverified', fault: 'unknown_key' };
  });
  await assert.rejects(verify('a'), UpstreamFailure);
  isDown = false;
  await verify('a');
  await verify('a');
  assert.equal(state.asked.length, 3);
});

test('one character more is another token', async () => {
  const { state, verify } = world(async () => aCaller());
  await verify('a');
  await verify('a=');
  await verify('A');
  assert.deepEqual(state.asked, ['a', 'a=', 'A']);
});
