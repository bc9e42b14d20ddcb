/**
 * Every revocation goes this way: write the entries, bump the head row, record the effects. When `revoke` returns,
 * every instance refuses the revoked tokens, or does so `freshnessMs` later where a deployment sets one.
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
  /** The one in force, as the latest look at the shared state found it. */
  readonly policy: () => Policy;
  readonly freshnessMs: number;
  readonly now: Clock;
}

/**
 * @param lastTokenUntilMs when the last token expires, if that is known; else it is computed from the policy
 * @throws UpstreamFailure; repeating the call is safe and completes what was begun
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
    // Also when no entry changed: an earlier call may have written it and died before it bumped the head row.
    await head.bump();
    const inForceAtMs = now() + freshnessMs;
    return fewAtOnce(written, ({ key, change, receivedAtMs }) => {
      const until = lastTokenUntilMs ?? inForceAtMs + longestTokenMs(policy(), change.scope);
      return recordEffect({ key, receivedAtMs, inForceAtMs, lastTokenUntilMs: until }, change);
    });
  };
}

/** A block that was lifted does not come back when its event is delivered again: see `lifted.ts`. */
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
  // The row is full, so this cause counts as lifted at once. The scope is blocked by the causes in the row, and when
  // an operator lifts those, this cause does not block it again.
  if (entry !== undefined && !(cause in entry.blocks))
    await markLifted(events, cause, { key, source }, now());
  if (await isLifted(events, cause))
    return table.update(key, (current) => current && lift(current, [cause], now()));
  return entry;
}

/** Each call to the store has a timeout. Thousands of calls that start together would all time out, at every retry. */
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
