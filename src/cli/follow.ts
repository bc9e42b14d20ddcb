/** Waiting at a terminal: for an operation's end, or until an instant. Ctrl-C ends the waiting, never the act. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Operation } from '../operations/operation.ts';
import type { Account } from '../rotation/shown.ts';
import type { Api } from './api.ts';
import { PROGRAM } from './program-name.ts';
import { clean, cut } from './render/text.ts';
import { times } from './render/time.ts';
import type { Session } from './session.ts';
import type { World } from './world.ts';

/** As shells count an end by SIGINT. */
export const INTERRUPTED = 130;

/** One line that is written over, where somebody looks. */
export function progress({ stderr }: Pick<World, 'stderr'>) {
  let shown = false;
  return {
    show(text: string): void {
      if (!stderr.isTerminal) return;
      shown = true;
      stderr.write(`\r\u001b[K${cut(clean(text), (stderr.columns ?? 80) - 1)}`);
    },
    clear(): void {
      if (shown) stderr.write('\r\u001b[K');
      shown = false;
    },
  };
}

/** Between two looks: a rotation takes minutes, and a local mode may run fast. */
const lookEveryMs = (session: Session): number =>
  session.local === undefined ? 2_000 : Math.max(50, Math.min(1_000, 1_000 / session.local.clock.speed()));

/** @returns false when it was interrupted */
export async function wait({ signal }: Pick<World, 'signal'>, ms: number): Promise<boolean> {
  if (signal.aborted) return false;
  return pause(ms, undefined, { signal }).then(
    () => true,
    () => false,
  );
}

/**
 * Follows a rotation to its end, and tells meanwhile what it waits for and until when.
 * @returns undefined when somebody ended the waiting
 */
export async function followRotation(
  world: World,
  session: Session,
  api: Api,
  id: string,
): Promise<Operation | undefined> {
  const line = progress(world);
  let operation = await api.get<Operation>(`operations/${id}`);
  try {
    while (operation.state === 'running') {
      if (world.stderr.isTerminal) line.show(await waitingFor(session, api, operation));
      if (!(await wait(world, lookEveryMs(session)))) {
        line.clear();
        world.stderr.write(`The rotation goes on. ${PROGRAM} operation ${id} tells how.\n`);
        return undefined;
      }
      operation = await api.get<Operation>(`operations/${id}`);
    }
    return operation;
  } finally {
    line.clear();
  }
}

async function waitingFor(session: Session, api: Api, { target, steps }: Operation): Promise<string> {
  await session.local?.clock.sync();
  const account = await api.get<Account>(`accounts/${encodeURIComponent(target)}`);
  const until = times(session.nowMs(), false).at(account.next?.at);
  const what = account.blocked?.what ?? account.next?.what ?? steps.at(-1)?.what ?? 'begins';
  return `${target}: ${account.state ?? 'begins'}; ${what}${until === undefined ? '' : ` (${until})`}`;
}

/** Counts down to an instant of the broker's clock. @returns false when it was interrupted */
export async function countDown(
  world: World,
  session: Session,
  untilIso: string,
  what: string,
): Promise<boolean> {
  const line = progress(world);
  try {
    for (;;) {
      await session.local?.clock.sync();
      const left = Date.parse(untilIso) - session.nowMs();
      if (left <= 0) return true;
      line.show(`${what} ${times(session.nowMs(), false).at(untilIso)}`);
      if (!(await wait(world, Math.min(1_000, left)))) return false;
    }
  } finally {
    line.clear();
  }
}
