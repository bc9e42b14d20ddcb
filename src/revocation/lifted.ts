/**
 * Which causes of a block were lifted. Each has its own row in the event store, so that entries do not grow with
 * every lift. The row is kept for longer than an event can be delivered again.
 *
 * A lift first marks the causes and then removes them from the entry. A revocation first writes its cause into the
 * entry and then looks for the mark (`revoke.ts`). So the one that writes the entry last removes a marked cause. If
 * the process dies in between, the repeated request or event does it.
 */
import { iso } from '../iso.ts';
import type { EventStore } from './ports.ts';

/** Event Grid stops after a day, but dead letters can be sent again by hand for as long as somebody stores them. */
const KEEP_MS = 366 * 86_400_000;

/** May be repeated. @throws UpstreamFailure */
export async function markLifted(
  events: EventStore,
  cause: string,
  about: { readonly key: string; readonly source: string },
  nowMs: number,
): Promise<void> {
  const record = { ...about, liftedAt: iso(nowMs) };
  await events.keepFirst('lifted', cause, record, nowMs + KEEP_MS);
}

/** @throws UpstreamFailure */
export async function isLifted(events: EventStore, cause: string): Promise<boolean> {
  return (await events.find('lifted', cause)) !== undefined;
}
