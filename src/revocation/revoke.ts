/**
 * The one way in which anything gets revoked: write, then bump the head, then say so. When `revoke` returns,
 * every instance refuses (after `freshnessMs`, where a deployment allows one).
 */
import type { Policy } from '../policy/schema.ts';
import type { Clock, Head } from '../ports.ts';
import { type Effect, keptText, type RecordEffect } from './effect.ts';
import { type Change, type Entry, lift, raise } from './entry.ts';
import { isLifted, markLifted } from './lifted.ts';
import type { EventStore, RevocationTable } from './ports.ts';
import { longestTokenMs } from './reach.ts';
import { scopeKey } from './scope.ts';

export interface RevokeDeps {
  readonly table: RevocationTable;
  readonly events: EventStore;
  readonly head: Head;
  readonly recordEffect: RecordEffect;
  readonly policy: Policy;
  readonly freshnessMs: number;
  readonly now: Clock;
}

/**
 * @param lastTokenUntilMs where it is known better than the policy says
 * @throws UpstreamFailure; asking again is safe and finishes what was begun
 */
export type Revoke = (changes: readonly Change[], lastTokenUntilMs?: number) => Promise<readonly Effect[]>;

export function createRevoke(deps: RevokeDeps): Revoke {
  const { head, recordEffect, policy, freshnessMs, now } = deps;
  return async (changes, lastTokenUntilMs) => {
    if (changes.length === 0) return [];
    const written = await fewAtOnce(changes, async (asked) => {
      const change = { ...asked, reason: keptText(asked.reason), source: keptText(asked.source) };
      const key = scopeKey(change.scope);
      const entry = await write(deps, key, change);
      return { key, change, receivedAtMs: entry?.receivedAtMs ?? change.receivedAtMs };
    });
    // Also when nothing changed: whoever wrote the entry may have died before its bump.
    await head.bump();
    const inForceAtMs = now() + freshnessMs;
    return fewAtOnce(written, ({ key, change, receivedAtMs }) => {
      const until = lastTokenUntilMs ?? inForceAtMs + longestTokenMs(policy, change.scope);
      return recordEffect({ key, receivedAtMs, inForceAtMs, lastTokenUntilMs: until }, change);
    });
  };
}

/** A block that was lifted does not come back with its event: see `lifted.ts`. */
async function write(
  { table, events, now }: RevokeDeps,
  key: string,
  change: Change,
): Promise<Entry | undefined> {
  const { blockCause: cause, source } = change;
  const raised = (asked: Change) => table.update(key, (current) => raise(current, asked));
  if (cause === undefined) return raised(change);
  if (await isLifted(events, cause)) return raised({ ...change, blockCause: undefined });
  const entry = await raised(change);
  // The row is full. Whoever lifts the causes that are in it lifts this one too.
  if (entry !== undefined && !(cause in entry.blocks))
    await markLifted(events, cause, { key, source }, now());
  if (await isLifted(events, cause))
    return table.update(key, (current) => current && lift(current, [cause], now()));
  return entry;
}

/** Each call of the store has a deadline of its own: thousands begun together would miss it together, every time. */
const AT_ONCE = 16;

export async function fewAtOnce<Item, Result>(
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE)
    results.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(run))));
  return results;
}
