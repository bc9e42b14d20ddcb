import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rememberVerified } from '../../src/exchange/verified.ts';
import type { VerifyCaller } from '../../src/exchange/verify.ts';
import { Secret } from '../../src/secret.ts';
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
  assert.deepEqual(await verify('a'), caller);
  state.nowMs += 299_999;
  assert.deepEqual(await verify('a'), caller);
  assert.equal(state.asked.length, 1);
  state.nowMs += 1;
  await verify('a');
  assert.equal(state.asked.length, 2);
});

test("a token's own end is its end, remembered or not", async () => {
  const caller = aCaller({ expiresAtSeconds: NOW_MS / 1000 + 10 });
  const { state, verify } = world(async () =>
    state.nowMs < NOW_MS + 10_000 ? caller : { kind: 'caller_unverified', fault: 'expired', hint: 'expired' },
  );
  await verify('a');
  state.nowMs += 9_999;
  assert.deepEqual(await verify('a'), caller);
  state.nowMs += 1;
  assert.deepEqual(await verify('a'), { kind: 'caller_unverified', fault: 'expired', hint: 'expired' });
});

test('a refusal and an outage are remembered for nobody', async () => {
  let isDown = true;
  const { state, verify } = world(async () => {
    if (isDown) throw new UpstreamFailure('entra', 'is down');
    return { kind: 'caller_unverified', fault: 'unknown_key', hint: 'unexplained' };
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

test('what is remembered is bounded by its bytes: who was seen longest ago is verified anew', async () => {
  const groups = Array.from(
    { length: 200 },
    (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  );
  const asked: string[] = [];
  // Room for two callers with 200 groups, of 12,800 bytes each.
  const verify = rememberVerified(
    async (token) => {
      asked.push(token);
      return aCaller({ groups });
    },
    () => NOW_MS,
    30_000,
  );
  for (const token of ['a', 'b', 'a', 'b', 'c', 'b', 'c']) await verify(token);
  assert.deepEqual(asked, ['a', 'b', 'c']);
  await verify('a');
  assert.deepEqual(asked, ['a', 'b', 'c', 'a']);
});

test('a caller who is remembered carries the token that was sent, for what is obtained on their behalf', async () => {
  const { verify } = world(async (token) => aCaller({ token: new Secret(token) }));
  for (let left = 2; left > 0; left -= 1) {
    const caller = await verify('the token');
    assert.ok('token' in caller);
    assert.equal(caller.token.reveal(), 'the token');
  }
});
