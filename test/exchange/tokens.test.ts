import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createTokens, type Held, type Wanted } from '../../src/exchange/tokens.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import type { OnBehalfOfRefusal, SlotState } from '../../src/ports.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { samplePolicy } from '../policy/sample.ts';
import { aCaller, NOW_MS } from './caller.ts';

const MINIMUM_MS = 60_000;
const LIFE_MS = 600_000;
const policy = loadPolicy(JSON.stringify(samplePolicy()));
const [speech, chat] = policy.resources;
assert.ok(speech && chat);
const slots: SlotState = { generation: 0, retiring: undefined, epoch: 0 };
const caller = aCaller();
const wanted: Wanted = { resource: speech, kind: 'sts', endpoint: 'https://speech.example', caller };

function world(minimumMs = MINIMUM_MS) {
  const state = {
    nowMs: NOW_MS,
    bought: [] as Wanted[],
    next: { slot: 'Key1', epoch: 0, generation: 0 } as Pick<Held, 'slot' | 'epoch' | 'generation'>,
    lifeMs: LIFE_MS,
    failure: undefined as Error | undefined,
    refusal: undefined as OnBehalfOfRefusal | undefined,
  };
  const tokens = createTokens(
    async (what) => {
      state.bought.push(what);
      const serial = state.bought.length;
      await turn();
      if (state.failure) throw state.failure;
      if (state.refusal) return state.refusal;
      return {
        token: new Secret(`token-${serial}`),
        issuedAtMs: state.nowMs,
        expiresAtMs: state.nowMs + state.lifeMs,
        ...state.next,
      };
    },
    () => state.nowMs,
    minimumMs,
    async () => undefined,
  );
  return { state, tokens };
}
const settle = async (): Promise<void> => {
  for (let left = 5; left > 0; left -= 1) await turn();
};

test('one purchase serves all who wait for the same, and then all who come', async () => {
  const { state, tokens } = world();
  const answers = await Promise.all(Array.from({ length: 50 }, () => tokens.bought(wanted)));
  assert.equal(new Set(answers).size, 1);
  assert.equal(tokens.held(wanted, slots), answers[0]);
  assert.equal(state.bought.length, 1);
});

test('a token with less than the minimum of life left is not held any more', async () => {
  const { state, tokens } = world();
  await tokens.bought(wanted);
  state.nowMs += LIFE_MS - MINIMUM_MS - 1;
  assert.ok(tokens.held(wanted, slots));
  state.nowMs += 1;
  assert.equal(tokens.held(wanted, slots), undefined);
});

test('it is bought again in the background when a fifth of its life is left, once', async () => {
  const { state, tokens } = world();
  const first = await tokens.bought(wanted);
  state.nowMs += 480_000;
  assert.equal(tokens.held(wanted, slots), first);
  await settle();
  assert.equal(state.bought.length, 1, 'not before');
  state.nowMs += 1;
  for (let left = 20; left > 0; left -= 1) assert.equal(tokens.held(wanted, slots), first);
  await settle();
  assert.equal(state.bought.length, 2);
  assert.notEqual(tokens.held(wanted, slots), first);
});

test('with a long minimum, too, the next is there before the minimum is reached', async () => {
  const { state, tokens } = world(300_000);
  await tokens.bought(wanted);
  let unserved = 0;
  for (let second = 0; second < 1200; second += 1) {
    state.nowMs += 1000;
    if (tokens.held(wanted, slots) === undefined) unserved += 1;
    await turn();
    await turn();
  }
  assert.equal(unserved, 0);
  assert.ok(state.bought.length <= 6, String(state.bought.length));
});

test('a purchase in the background that fails disturbs nobody, and is not repeated at once', async () => {
  const { state, tokens } = world();
  const first = await tokens.bought(wanted);
  state.nowMs += 490_000;
  state.failure = new UpstreamFailure('sts', 'is down');
  for (let left = 10; left > 0; left -= 1) {
    assert.equal(tokens.held(wanted, slots), first);
    await settle();
  }
  assert.equal(state.bought.length, 2);
  state.failure = undefined;
  state.nowMs += 1000;
  tokens.held(wanted, slots);
  await settle();
  assert.equal(state.bought.length, 3);
});

test('after a failure nobody calls again for a second, then one does: no storm, and no failure kept', async () => {
  const { state, tokens } = world();
  state.failure = new UpstreamFailure('sts', 'is down');
  await assert.rejects(tokens.bought(wanted), UpstreamFailure);
  await assert.rejects(tokens.bought(wanted), UpstreamFailure);
  assert.equal(state.bought.length, 1);
  state.failure = undefined;
  state.nowMs += 1000;
  await tokens.bought(wanted);
  assert.equal(state.bought.length, 2);
});

test('a service that asks to be left alone for a while is, up to half a minute', async () => {
  for (const [asked, waits] of [
    [7, 7],
    [0, 1],
    [99_999, 30],
  ] as const) {
    const { state, tokens } = world();
    state.failure = new UpstreamFailure('sts', 'was refused', 429, asked);
    await assert.rejects(tokens.bought(wanted), UpstreamFailure);
    state.nowMs += waits * 1000 - 1;
    await assert.rejects(tokens.bought(wanted), UpstreamFailure);
    assert.equal(state.bought.length, 1);
    state.nowMs += 1;
    await assert.rejects(tokens.bought(wanted), UpstreamFailure);
    assert.equal(state.bought.length, 2);
  }
});

test('a refusal is kept for nobody', async () => {
  const { state, tokens } = world();
  state.refusal = { refused: 'invalid_grant', claims: undefined };
  const obo: Wanted = { ...wanted, resource: chat, kind: 'obo' };
  assert.deepEqual(await tokens.bought(obo), state.refusal);
  assert.equal(tokens.held(obo, slots), undefined);
  state.refusal = undefined;
  assert.ok('token' in (await tokens.bought(obo)));
});

test('a token of another epoch is never held; one of another generation serves while the next is bought', async () => {
  const { state, tokens } = world();
  const first = await tokens.bought(wanted);
  assert.equal(tokens.held(wanted, { ...slots, epoch: 1 }), undefined);
  state.nowMs += 20_000;
  state.next = { slot: 'Key2', epoch: 0, generation: 1 };
  assert.equal(tokens.held(wanted, { ...slots, generation: 1 }), first);
  await settle();
  const second = tokens.held(wanted, { ...slots, generation: 1 });
  assert.equal(second?.slot, 'Key2');
});

test('a token that the service gives again and again near its end costs one call in 15 seconds', async () => {
  const { state, tokens } = world();
  state.next = { slot: undefined, epoch: 0, generation: 0 };
  const managed: Wanted = { ...wanted, kind: 'entra' };
  await tokens.bought(managed);
  state.nowMs += 500_000;
  state.lifeMs = 100_000;
  for (let second = 0; second < 30; second += 1) {
    state.lifeMs -= 1000;
    tokens.held(managed, slots);
    await settle();
    state.nowMs += 1000;
  }
  assert.ok(state.bought.length <= 1 + 3, String(state.bought.length));
});

test('tokens are kept under all that they were bought with', async () => {
  const { state, tokens } = world();
  const obo: Wanted = { ...wanted, resource: chat, kind: 'obo' };
  const different: Wanted[] = [
    wanted,
    { ...wanted, endpoint: 'https://westeurope.example' },
    { ...wanted, kind: 'entra' },
    { ...wanted, kind: 'entra', resource: { ...speech, scope: 'https://ai.azure.com/.default' } },
    { ...wanted, kind: 'entra', resource: { ...speech, identity: { kind: 'systemAssigned' } } },
    { ...wanted, kind: 'entra', resource: { ...speech, identity: { kind: 'userAssigned', clientId: 'a' } } },
    { ...wanted, kind: 'entra', resource: { ...speech, identity: { kind: 'userAssigned', clientId: 'b' } } },
    { ...wanted, kind: 'entra', resource: chat },
    obo,
    { ...obo, caller: { ...caller, tenantId: 't' } },
    { ...obo, caller: { ...caller, objectId: 'o' } },
    { ...obo, caller: { ...caller, clientId: 'c' } },
    { ...obo, caller: { ...caller, uti: 'u' } },
  ];
  for (const [index, what] of different.entries()) {
    assert.equal(tokens.held(what, slots), undefined, `another's token for number ${index}`);
    await tokens.bought(what);
    assert.ok(tokens.held(what, slots));
  }
  assert.equal(state.bought.length, different.length);
  await tokens.bought({ ...wanted, caller: aCaller({ objectId: 'someone else' }) });
  assert.ok(
    tokens.held({ ...wanted, caller: aCaller({ objectId: 'and another' }) }, slots),
    'not under the caller',
  );
});
