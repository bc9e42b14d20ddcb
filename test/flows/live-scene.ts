/** What the cases of live-cases.ts act in, and the restart of one instance. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import type { Chance } from '../simulation/random.ts';
import type { LiveCallers } from './live-callers.ts';
import type { RotationHand } from './rotation-hand.ts';
import type { Stack } from './stack.ts';

export interface Scene {
  readonly stack: Stack;
  readonly callers: LiveCallers;
  readonly rotation: RotationHand;
  readonly chance: Chance;
  /** The processes of the instances, in the order of their URLs. */
  readonly pids: number[];
  /** A tick at this instance, or at any, to its end. */
  tick(instance?: string): Promise<void>;
}

const MAX_START_MS = 60_000;

/** In the order in which they were started. */
export function instancePids({ pid }: Stack): number[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s(.*)$/.exec(line))
    .filter((found) => Number(found?.[2]) === pid && found?.[3]?.includes('instance.ts') === true)
    .map((found) => Number(found?.[1]))
    .toSorted((a, b) => a - b);
}

/** Its place among the instances: it is started after those of the issuer app. */
export const ROTATOR = 3;

/**
 * Ends an instance as Azure does when it takes a new configuration: what is in flight may finish. The launcher
 * starts it again at the same port, and it reads its policy anew.
 */
export async function restartInstance({ stack, pids }: Scene, index: number): Promise<void> {
  const old = pids[index] ?? assert.fail(`there is no instance ${index}`);
  process.kill(old, 'SIGTERM');
  const giveUpAtMs = performance.now() + MAX_START_MS;
  for (;;) {
    const added = instancePids(stack).find((pid) => !pids.includes(pid));
    if (added !== undefined) {
      pids[index] = added;
      break;
    }
    assert.ok(performance.now() < giveUpAtMs, 'the instance is not started again');
    await wait(50);
  }
  const { instances, apps } = stack.description;
  const health = index === ROTATOR ? `${apps.rotator[0]}/admin/host/ping` : `${instances[index]}/health`;
  while ((await fetch(health).catch(() => undefined))?.status !== 200) {
    assert.ok(performance.now() < giveUpAtMs, `the instance does not answer:\n${stack.log().slice(-2000)}`);
    await wait(50);
  }
}
