import type { Clock, Log } from '../ports.ts';
import { knownMembers } from './members.ts';
import type { Announcements } from './store.ts';

/** An instance that stopped counts as alive for so long, and a policy that it could not read waits so long at most. */
const ALIVE_MS = 900_000;
const AGAIN_AFTER_MS = 300_000;

/**
 * Tells publishers what this instance can read of a policy. Nothing waits for it: an instance that could not say it
 * still answers 503, and never guesses, when it meets a policy that it cannot read.
 * @returns call it whenever the instance looks at the shared state; it says it again in time
 */
export function createAnnouncer(
  announcements: Pick<Announcements, 'say'>,
  instance: string,
  clock: Clock,
  log: Log,
): () => void {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  let members: readonly string[] | undefined;
  return () => {
    const nowMs = clock();
    if (nowMs - saidAtMs < AGAIN_AFTER_MS) return;
    saidAtMs = nowMs;
    members ??= [...knownMembers()];
    announcements.say({ instance, members }, nowMs + ALIVE_MS).catch((error: unknown) => {
      saidAtMs = Number.NEGATIVE_INFINITY;
      log('policy_reader_unannounced', { problem: String(error) });
    });
  };
}
