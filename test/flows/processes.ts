/** The instances of a running local mode as processes, which a test kills and the launcher starts again. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import type { Stack } from './stack.ts';

const MAX_START_MS = 60_000;
/** The launcher gives an instance up that crashes more often in a minute (src/local/instances.ts). */
const MAX_KILLS_A_MINUTE = 5;
const MINUTE_MS = 61_000;

export interface Processes {
  /** `kill -9`. The name is `rotator`, or `instance-1` and so on. */
  kill(name: string): void;
  /** It stands still, as on a machine that sleeps, until it goes on. */
  pause(name: string): void;
  goOn(name: string): void;
  /** Resolves when this one may be killed without the launcher giving it up. */
  mayKill(name: string): Promise<void>;
  /** Whether it may be killed now. */
  isSpared(name: string): boolean;
  /** Resolves when it runs again and answers. */
  isBack(name: string): Promise<void>;
}

export function processesOf(stack: Stack): Processes {
  const { apps } = stack.description;
  const killedAtMs = new Map<string, number[]>();
  const recent = (name: string): number[] =>
    (killedAtMs.get(name) ?? []).filter((atMs) => performance.now() - atMs < MINUTE_MS);
  const isSpared = (name: string): boolean => recent(name).length >= MAX_KILLS_A_MINUTE;
  const urlOf = (name: string): string =>
    (name === 'rotator' ? apps.rotator[0] : apps.issuer[Number(name.replace('instance-', '')) - 1]) ??
    assert.fail(`there is no process ${name}`);

  const signal = (name: string, what: 'SIGSTOP' | 'SIGCONT'): void => {
    process.kill(pidOf(stack, name) ?? assert.fail(`there is no process ${name}`), what);
  };
  return {
    pause: (name) => signal(name, 'SIGSTOP'),
    goOn: (name) => signal(name, 'SIGCONT'),
    isSpared,
    mayKill: async (name) => {
      while (isSpared(name)) await wait(100);
    },
    kill: (name) => {
      killedAtMs.set(name, [...recent(name), performance.now()]);
      process.kill(pidOf(stack, name) ?? assert.fail(`there is no process ${name}`), 'SIGKILL');
    },
    isBack: async (name) => {
      const giveUpAtMs = performance.now() + MAX_START_MS;
      for (;;) {
        const answer = await fetch(`${urlOf(name)}/admin/host/status`, {
          signal: AbortSignal.timeout(5_000),
        }).catch(() => undefined);
        if (answer?.status === 200 && (name === 'rotator' || (await isHealthy(urlOf(name))))) return;
        assert.ok(performance.now() < giveUpAtMs, `${name} is not back:\n${lastLines(stack)}`);
        await wait(50);
      }
    },
  };
}

/** Without those of exchanges, which are the most. */
function lastLines(stack: Stack): string {
  const lines = stack.log().slice(-200_000).split('\n');
  return lines
    .filter((line) => !line.includes(' exchange outcome='))
    .slice(-60)
    .join('\n');
}

async function isHealthy(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health`).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.status === 200;
}

function pidOf({ pid }: Stack, name: string): number | undefined {
  const line = execFileSync('ps', ['-ww', '-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((text) => /^\s*(\d+)\s+(\d+)\s(.*)$/.exec(text))
    .find((found) => Number(found?.[2]) === pid && found?.[3]?.includes(`"name":"${name}"`) === true);
  return line === undefined ? undefined : Number(line?.[1]);
}
