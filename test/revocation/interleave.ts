/** Runs in a worker of interleavings.test.ts: the real exchange and the real revocation, step by step. */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { createExchange } from '../../src/exchange/exchange.ts';
import { createFreshness } from '../../src/exchange/freshness.ts';
import { createTokens } from '../../src/exchange/tokens.ts';
import type { Revocation, Snapshot } from '../../src/ports.ts';
import { isDropped, revokedBy } from '../../src/revocation/decision.ts';
import { createRevoke } from '../../src/revocation/revoke.ts';
import { Secret } from '../../src/secret.ts';
import { inForce } from '../policy/rules.ts';
import { caller, createWorld, policy, START_MS } from './fakes.ts';

const AT_ONCE = 250;
const rules = inForce(policy);
const shared = createWorld().deps;
const token = new Secret('an upstream token');
const who = caller();
const scopes = [
  { kind: 'grant' as const, name: 'people' },
  { kind: 'resource' as const, name: 'aoai' },
  { kind: 'tenant' as const, tenantId: caller().tenantId },
  { kind: 'token' as const, tenantId: caller().tenantId, uti: caller().uti },
];

/** Deterministic, so that a seed replays its order. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Answers of the store are held back and let go one by one, in an order that the seed decides. */
async function interleave(
  seed: number,
  announce: boolean,
): Promise<{ resurrected: boolean; refused: number }> {
  const next = random(seed);
  const held: (() => void)[] = [];
  const step = (): Promise<void> => new Promise((resolve) => held.push(resolve));
  let head = 0;
  let stored: ReadonlyMap<string, Revocation> = new Map();
  let hasReturned = false;

  const revoke = createRevoke({
    ...shared,
    recordEffect: async (effect) => effect,
    table: {
      ...shared.table,
      update: async (key, change) => {
        await step();
        const entry = change(undefined);
        if (entry !== undefined) stored = new Map([[key, entry]]);
        await step();
        return entry;
      },
    },
    head: {
      bump: async () => {
        await step();
        if (announce) head += 1;
        await step();
      },
    },
  });
  const instance = (name: string) =>
    createExchange({
      verify: async () => who,
      freshness: createFreshness(
        {
          version: async () => {
            await step();
            const version = String(head);
            await step();
            return version;
          },
          load: async () => {
            const version = String(head);
            await step();
            const revocations = stored;
            await step();
            return { version, revocations, slots: new Map(), policy: undefined } satisfies Snapshot;
          },
        },
        async () => rules,
        () => START_MS,
        0,
      ),
      revokedBy,
      isDropped,
      tokens: createTokens(
        async () => {
          await step();
          return {
            token,
            issuedAtMs: START_MS,
            expiresAtMs: START_MS + 3_600_000,
            slot: undefined,
            epoch: 0,
            generation: 0,
          };
        },
        () => START_MS,
        60_000,
        step,
      ),
      rate: { take: () => 0, giveBack: () => undefined },
      audit: { append: step },
      refusedStranger: () => undefined,
      clock: () => START_MS,
      instance: name,
      minimumLifeMs: 60_000,
    });
  const instances = [instance('a'), instance('b')];

  let resurrected = false;
  let refused = 0;
  const exchange = async (): Promise<void> => {
    for (let pause = Math.floor(next() * 12); pause > 0; pause -= 1) await step();
    const began = hasReturned;
    const request = { subjectToken: 't', target: 'aoai', tokenKind: 'entra' as const, scope: undefined };
    const answer = await instances[next() < 0.5 ? 0 : 1]?.(request, 'c');
    if (answer !== undefined && 'token' in answer) resurrected ||= began;
    else refused += 1;
  };
  const scope = scopes[seed % scopes.length];
  assert.ok(scope);
  const running = Promise.all([
    ...Array.from({ length: 4 }, exchange),
    (async () => {
      for (let pause = Math.floor(next() * 12); pause > 0; pause -= 1) await step();
      const change = { scope, cutOffSeconds: START_MS / 1000 + 1, blockCause: undefined };
      await revoke([{ ...change, reason: '', source: '', receivedAtMs: START_MS }]);
      hasReturned = true;
      // Whatever the others left behind in either instance, it grants nothing any more.
      await Promise.all([exchange(), exchange()]);
    })(),
  ]);
  let done = false;
  const ended = running.finally(() => {
    done = true;
  });
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    const [chosen] = held.splice(Math.floor(next() * held.length), 1);
    chosen?.();
  }
  await ended;
  return { resurrected, refused };
}

async function resurrections(runs: number, announce: boolean): Promise<{ seeds: number[]; refused: number }> {
  const seeds: number[] = [];
  let refused = 0;
  for (let from = 0; from < runs; from += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, runs - from) }, (_, index) => from + index);
    await Promise.all(
      some.map(async (seed) => {
        const outcome = await interleave(seed, announce);
        if (outcome.resurrected) seeds.push(seed);
        refused += outcome.refused;
      }),
    );
  }
  return { seeds, refused };
}

/** In a worker, because under node:test every promise is tracked, which costs most of the time. */
const { runs, announce } = workerData as { runs: number; announce: boolean };
parentPort?.postMessage(await resurrections(runs, announce));
