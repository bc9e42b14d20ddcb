/**
 * Every process of the local mode killed (`kill -9`) in each step of full rotations, and started again on the
 * same data: `node test/flows/rotation-kill.ts`.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { descendants } from '../local/started.ts';
import { NO_TIMER, rotationOf } from './rotation-hand.ts';
import { callWithVaultKey, VAULT_SCOPE } from './rotation-load.ts';
import { type Stack, startStack } from './stack.ts';

/**
 * Where the kill strikes: while this call of this phase has done its work and has no answer yet, or without one
 * as soon as the row of this phase is written.
 */
export interface Point {
  readonly phase: 'promoting' | 'draining' | 'regenerating' | 'proving';
  readonly service: 'sts' | 'keyvault' | 'arm' | 'tables';
  readonly operation?: string;
}
export const POINTS: readonly Point[] = [
  { phase: 'promoting', service: 'sts', operation: 'issueToken' },
  // The row with the lease, before the effect.
  { phase: 'promoting', service: 'tables', operation: 'UpdateEntity rotation' },
  { phase: 'promoting', service: 'keyvault', operation: 'setSecret' },
  // Nothing outside changes in this phase, and the head row, bumped before each look, is written as the row is.
  { phase: 'draining', service: 'tables' },
  // Looked whether the lease is still its own, and about to regenerate.
  { phase: 'regenerating', service: 'tables', operation: 'GetEntity rotation' },
  { phase: 'regenerating', service: 'arm', operation: 'regenerateKey' },
  { phase: 'proving', service: 'sts', operation: 'issueToken' },
  { phase: 'proving', service: 'tables', operation: 'UpdateEntity rotation' },
  { phase: 'proving', service: 'keyvault', operation: 'updateSecret' },
];

export interface KillReport {
  readonly kills: number;
  readonly rotations: number;
  /** With the vault's current key, after every tick and every start; all were served. */
  readonly keyCalls: number;
  readonly seconds: number;
}
const NAME = 'speech';
const MAX_TICKS = 60;
/** Longer than anything waits for the answer that the kill forestalls. */
const HELD_MS = 20_000;

/** @throws AssertionError where a rotation ends other than steady, with both keys new and each made once */
export async function killInRotations(points: readonly Point[]): Promise<KillReport> {
  const folder = mkdtempSync(join(tmpdir(), 'rotation-kill-'));
  const startedAt = performance.now();
  const start = () => startStack(['--data', folder], NO_TIMER);
  let stack = await start();
  let keyCalls = 0;
  let rotations = 0;
  let keysBefore: string[] = [];
  const everHad = new Set<string>();

  async function look(): Promise<void> {
    for (const key of keysIn(folder)) everHad.add(key);
    const token = await stack.callerToken('operator', VAULT_SCOPE);
    assert.equal(await callWithVaultKey(stack, NAME, token), 200, "the vault's current key is accepted");
    keyCalls += 1;
  }
  const phaseNow = async () => (await rotationOf(stack).row(NAME))?.state.work?.phase.name;
  async function reach(point: Point): Promise<void> {
    for (let ticks = 0; ticks < MAX_TICKS; ticks += 1) {
      const phase = await phaseNow();
      if (phase === undefined) {
        keysBefore = keysIn(folder);
        assert.ok(await rotationOf(stack).begin(NAME));
        rotations += 1;
      } else if (phase === point.phase) {
        if (await strike(stack, point)) return;
      } else await tickLater(stack);
      await look();
    }
    assert.fail(
      `${point.operation ?? 'the row'} is never reached while ${point.phase}:\n${stack.log().slice(-2000)}`,
    );
  }

  try {
    for (const point of points) {
      await reach(point);
      await killAll(stack);
      stack = await start();
      await look();
    }
    for (let ticks = 0; (await phaseNow()) !== undefined; ticks += 1) {
      assert.ok(ticks < MAX_TICKS, `it never ends:\n${stack.log().slice(-2000)}`);
      await tickLater(stack);
      await look();
    }
    assert.ok(
      keysIn(folder).every((key) => !keysBefore.includes(key)),
      'both keys are new',
    );
    assert.equal(everHad.size, 2 + 2 * rotations, 'each rotation made two keys');
  } finally {
    await stack[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  return { kills: points.length, rotations, keyCalls, seconds };
}

/** Past a lease that a killed driver left, and past the pause after a try without an outcome. */
async function later(stack: Stack): Promise<void> {
  await stack.control('POST', '/clock', { advanceSeconds: 300 });
}
async function tickLater(stack: Stack): Promise<void> {
  await later(stack);
  await rotationOf(stack).tick();
}

/** A tick, until the point's call has done its work and waits for the answer. False: there was no such call. */
async function strike(stack: Stack, { service, operation }: Point): Promise<boolean> {
  const rotation = rotationOf(stack);
  await later(stack);
  const { last } = await rotation.requests();
  const fence = await rotation.fenceOf(NAME);
  if (operation !== undefined)
    await stack.control('PUT', `/faults/${service}`, { mode: 'slow', delayMs: HELD_MS, operation });
  const isOver = await rotation.begun();
  while (!isOver()) {
    // The log has a table's call when it is answered; the row tells earlier that the lease is taken.
    const isStruck =
      service === 'tables'
        ? (await rotation.fenceOf(NAME)) > fence
        : (await rotation.requests(last)).requests.some(
            (one) => one.operation === operation && one.resource.startsWith(NAME) && one.fault === 'slow',
          );
    if (isStruck) return true;
  }
  await stack.control('DELETE', '/faults');
  return false;
}

async function killAll(stack: Stack): Promise<void> {
  for (const pid of [stack.pid, ...descendants(stack.pid)]) process.kill(pid, 'SIGKILL');
  await stack[Symbol.asyncDispose]();
}

const accountsFile = z.object({
  accounts: z.record(
    z.string(),
    z.object({
      keys: z.array(z.object({ fingerprint: z.string(), acceptedUntilMs: z.number().nullable() })),
    }),
  ),
});
/** The fingerprints of the two keys that the account has now. */
function keysIn(folder: string): string[] {
  const { accounts } = accountsFile.parse(JSON.parse(readFileSync(join(folder, 'accounts.json'), 'utf8')));
  const keys = accounts[NAME]?.keys ?? [];
  return keys.filter(({ acceptedUntilMs }) => acceptedUntilMs === null).map(({ fingerprint }) => fingerprint);
}

if (import.meta.main) console.log(JSON.stringify(await killInRotations(POINTS), null, 2));
