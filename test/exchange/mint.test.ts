import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MintPorts, mint } from '../../src/exchange/mint.ts';
import { DECLARED_MARGIN_MS, STS_LIFE_MS } from '../../src/facts/sts.ts';
import type { Slot, SlotState, VaultKey } from '../../src/ports.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { resourceNamed } from '../rotation/world.ts';
import { NOW_MS } from './caller.ts';

const vaultKey = (slot: string, version: string): VaultKey => ({
  version,
  value: new Secret(`value of ${slot} ${version}`),
  tags: { slot },
  enabled: true,
  createdAtMs: 0,
  expiresAtMs: undefined,
});

function world(bend: Partial<MintPorts> = {}) {
  const state = {
    nowMs: NOW_MS,
    steps: [] as string[],
    key: vaultKey('Key1', 'v1') as VaultKey | 'absent' | 'disabled',
    /** What can be read by its version, beside the current one. */
    versions: new Map<string, VaultKey | 'disabled'>(),
    sleptMs: 0,
    atSleep: (): void => undefined,
    slots: undefined as SlotState | undefined,
    dead: new Set<string>(),
    lifeMs: 600_000,
    atDeclare: (): void => undefined,
    atIssue: (): void => undefined,
  };
  const ports: MintPorts = {
    vault: {
      current: async () => {
        state.steps.push('read');
        return state.key;
      },
      read: async (secret, version) => {
        state.steps.push(`read ${secret} ${version}`);
        return state.versions.get(version) ?? 'absent';
      },
    },
    ledger: {
      declare: async (_resource, slot, _instance, expiresAtMs) => {
        state.steps.push(`declare ${slot} +${expiresAtMs - state.nowMs}`);
        state.atDeclare();
      },
      latestExpiryMs: async () => 0,
    },
    slotsNow: async () => {
      state.steps.push('look');
      return state.slots;
    },
    sts: {
      issue: async (host, key) => {
        state.steps.push(`buy at ${host}`);
        const isDead = state.dead.has(key.reveal());
        state.atIssue();
        return isDead
          ? 'keyRefused'
          : { token: new Secret('token'), expiresAtMs: state.nowMs + state.lifeMs };
      },
    },
    clock: () => state.nowMs,
    sleep: async (ms) => {
      state.sleptMs += ms;
      state.nowMs += ms;
      state.atSleep();
    },
    instance: 'i-1',
    ...bend,
  };
  return { state, buy: () => mint(ports, resourceNamed('speech'), 'https://speech.example') };
}

test('the latest possible expiry is declared before the slot is looked at again, and that before buying', async () => {
  const { state, buy } = world();
  const minted = await buy();
  assert.deepEqual(state.steps, [
    'look',
    'read',
    `declare Key1 +${STS_LIFE_MS + DECLARED_MARGIN_MS}`,
    'look',
    'buy at https://speech.example',
  ]);
  assert.deepEqual(
    [minted.slot, minted.epoch, minted.generation, minted.expiresAtMs],
    ['Key1', 0, 0, NOW_MS + 600_000],
  );
});

test('a slot that is being retired is never bought with', async () => {
  const { state, buy } = world();
  state.slots = { generation: 1, retiring: 'Key1', epoch: 0 };
  await assert.rejects(buy(), UpstreamFailure);
  assert.ok(!state.steps.some((step) => step.startsWith('buy') || step.startsWith('declare')));
});

test('a slot marked between the declaration and the purchase is not bought with; the promoted one is', async () => {
  const { state, buy } = world();
  state.atDeclare = () => {
    state.key = vaultKey('Key2', 'v2');
    state.slots = { generation: 1, retiring: 'Key1', epoch: 0 };
  };
  const minted = await buy();
  assert.equal(minted.slot, 'Key2');
  assert.equal(minted.generation, 1);
  assert.equal(state.steps.filter((step) => step.startsWith('buy')).length, 1);
});

test('a key that was replaced between the declaration and the purchase is not bought with, though its slot is not retiring', async () => {
  const { state, buy } = world();
  state.slots = { generation: 1, retiring: undefined, epoch: 0 };
  state.atDeclare = () => {
    state.key = vaultKey('Key1', 'v2');
    state.slots = { generation: 2, retiring: undefined, epoch: 0 };
  };
  assert.equal((await buy()).generation, 2);
  assert.equal(state.steps.filter((step) => step.startsWith('declare')).length, 2);
});

test('a key refused is not tried again; a newer version of it is', async () => {
  const { state, buy } = world();
  state.dead.add('value of Key1 v1');
  await assert.rejects(buy(), UpstreamFailure);
  assert.equal(state.steps.filter((step) => step.startsWith('buy')).length, 1);

  state.atIssue = () => {
    state.key = vaultKey('Key2', 'v2');
  };
  assert.equal((await buy()).slot, 'Key2');
});

const named = (slot: Slot, version: string, generation = 1): SlotState => ({
  generation,
  retiring: undefined,
  epoch: 0,
  current: { slot, secret: 'speech-key', version },
});

test('the version that the row names is bought with, whatever a copy of the vault that lags calls current', async () => {
  const { state, buy } = world();
  state.slots = { ...named('Key2', 'v2'), retiring: 'Key1' };
  state.versions.set('v2', vaultKey('Key1', 'v2'));
  // Its slot is the row's too: somebody may have edited the tags.
  assert.equal((await buy()).slot, 'Key2');
  assert.ok(state.steps.includes('read speech-key v2'));
  assert.ok(!state.steps.includes('read'));
});

test('a version that the vault does not show yet is waited for', async () => {
  const { state, buy } = world();
  state.slots = named('Key2', 'v2');
  state.atSleep = () => {
    if (state.sleptMs >= 10_000) state.versions.set('v2', vaultKey('Key2', 'v2'));
  };
  assert.equal((await buy()).slot, 'Key2');
});

test('the wait for a version ends with the row that names another', async () => {
  const { state, buy } = world();
  state.slots = named('Key2', 'v2');
  state.versions.set('v3', vaultKey('Key1', 'v3'));
  state.atSleep = () => {
    state.slots = named('Key1', 'v3', 2);
  };
  const { slot, generation } = await buy();
  assert.deepEqual([slot, generation, state.sleptMs < 1_000], ['Key1', 2, true]);
});

for (const what of ['absent', 'disabled'] as const)
  test(`a named version that stays ${what} is an outage after a bounded wait, and nothing is bought`, async () => {
    const { state, buy } = world();
    state.slots = named('Key2', 'v2');
    if (what === 'disabled') state.versions.set('v2', 'disabled');
    await assert.rejects(
      buy(),
      (error) =>
        error instanceof UpstreamFailure && error.service === 'keyvault' && error.retryAfterSeconds === 5,
    );
    assert.equal(state.sleptMs, what === 'absent' ? 11_000 : 0);
    assert.ok(!state.steps.some((step) => step.startsWith('buy')));
  });

test('no more life is promised than ten minutes from the moment of asking, whatever the service’s clock', async () => {
  const { state, buy } = world();
  state.lifeMs = STS_LIFE_MS + DECLARED_MARGIN_MS;
  assert.equal((await buy()).expiresAtMs, NOW_MS + STS_LIFE_MS);
});

test('a token that outlives what was declared for it is not handed out', async () => {
  const { state, buy } = world();
  state.lifeMs = STS_LIFE_MS + DECLARED_MARGIN_MS + 1;
  await assert.rejects(buy(), /sts: tokens for .* live longer/);
});

test('a process that slept while buying does not hand out what its declaration does not cover', async () => {
  const { state, buy } = world();
  let sleptMs = DECLARED_MARGIN_MS + 1;
  state.atIssue = () => {
    state.nowMs += sleptMs;
    sleptMs = 0;
  };
  const minted = await buy();
  assert.equal(state.steps.filter((step) => step.startsWith('buy')).length, 2);
  assert.ok(minted.expiresAtMs <= state.nowMs + STS_LIFE_MS);
});

for (const [what, key] of [
  ['absent', 'absent'],
  ['disabled', 'disabled'],
  ['without its slot', vaultKey('', 'v1')],
  ['of a slot that is none', vaultKey('key1', 'v1')],
] as const)
  test(`a secret that is ${what} is an outage in words, not a purchase`, async () => {
    const { state, buy } = world();
    state.key = key;
    await assert.rejects(buy(), (error) => error instanceof UpstreamFailure && error.service === 'keyvault');
    assert.ok(!state.steps.some((step) => step.startsWith('buy')));
  });

test('whoever goes first, a slot is never regenerated while a token bought with it lives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.nat({ max: 700_000 }), async (s, driftMs) => {
      const ledger = new Map<Slot, number>();
      let slots: SlotState = { generation: 0, retiring: undefined, epoch: 0 };
      let key = vaultKey('Key1', 'v1');
      let nowMs = NOW_MS;
      let regeneratedAtMs: number | undefined;
      const { buy } = world({
        vault: {
          current: () => s.schedule(Promise.resolve(key), 'vault'),
          read: () => Promise.reject(new Error('no version is named')),
        },
        ledger: {
          declare: async (_r, slot, _i, expiresAtMs) => {
            await s.schedule(Promise.resolve(), 'declare');
            ledger.set(slot, Math.max(expiresAtMs, ledger.get(slot) ?? 0));
          },
          latestExpiryMs: async () => 0,
        },
        slotsNow: async () => {
          await s.schedule(Promise.resolve(), 'look');
          return slots;
        },
        sts: {
          issue: async () => {
            const issuedAtMs = nowMs;
            await s.schedule(Promise.resolve(), 'buy');
            return { token: new Secret('t'), expiresAtMs: issuedAtMs + 600_000 };
          },
        },
        clock: () => nowMs,
      });
      const minted = buy().catch((error: unknown) => {
        assert.ok(error instanceof UpstreamFailure);
        return undefined;
      });
      const rotated = (async () => {
        await s.schedule(Promise.resolve(), 'promote');
        key = vaultKey('Key2', 'v2');
        slots = { generation: 1, retiring: undefined, epoch: 0 };
        await s.schedule(Promise.resolve(), 'mark');
        slots = { generation: 1, retiring: 'Key1', epoch: 0 };
        await s.schedule(Promise.resolve(), 'read ledger');
        nowMs += driftMs;
        regeneratedAtMs = Math.max(nowMs, ledger.get('Key1') ?? 0);
      })();
      await s.waitFor(Promise.all([minted, rotated]));
      const token = await minted;
      if (token?.slot === 'Key1') assert.ok(token.expiresAtMs <= (regeneratedAtMs ?? 0));
    }),
    { numRuns: 200 },
  );
});
