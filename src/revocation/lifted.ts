/**
 * Which causes of a block were lifted. Each has a row of its own in the event store, so that an entry never
 * grows with the lifts of its past, and is kept for longer than any event can be delivered again.
 *
 * A lift marks the causes first and takes them out of the entry then; a revocation writes its cause into the
 * entry first and looks for the mark then (`revoke.ts`). So whichever of the two comes first, and wherever
 * either dies, a marked cause is taken out by the one that comes last or by its repetition.
 */
import type { EventStore } from './ports.ts';

/** Event Grid gives up after a day, but dead letters can be sent again by hand for as long as somebody keeps them. */
const KEEP_MS = 366 * 86_400_000;

/** @throws UpstreamFailure; marking twice is safe */
export async function markLifted(
  events: EventStore,
  cause: string,
  about: { readonly key: string; readonly source: string },
  nowMs: number,
): Promise<void> {
  const record = { ...about, liftedAt: new Date(nowMs).toISOString() };
  await events.keepFirst('lifted', cause, record, nowMs + KEEP_MS);
}

/** @throws UpstreamFailure */
export async function isLifted(events: EventStore, cause: string): Promise<boolean> {
  return (await events.find('lifted', cause)) !== undefined;
}
