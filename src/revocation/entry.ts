/**
 * The stored entry of one scope, and the functions that change it. A change may be applied twice, and changes may
 * be applied in any order: the entry ends up the same (invariant 6). Pure; the table adapter applies them by ETag.
 */
import { MAX_CLOCKS_DIFFER_SECONDS } from '../clocks.ts';
import { MAX_CALLER_TOKEN_LIFE_MS } from '../facts/entra.ts';
import { REDELIVERS_FOR_MS } from '../facts/event-grid.ts';
import type { Revocation, Scope } from '../ports.ts';

export interface Entry extends Revocation {
  /** The causes that block the scope: each cause's key, and when it arrived (ms). Blocked while there is one. */
  readonly blocks: Readonly<Record<string, number>>;
  /** When an operator last lifted blocks of this scope (ms); 0 means never. `lifted.ts` stores which causes. */
  readonly liftedAtMs: number;
  readonly reason: string;
  /** Who asked for it: `event`, `signal`, `graph`, `operator` or `holder`, then its id. */
  readonly source: string;
  /** When the broker received the revocation that last changed the entry (ms). */
  readonly receivedAtMs: number;
}

export interface Change {
  readonly scope: Scope;
  readonly cutOffSeconds: number;
  /** The key of the cause that asks for a block; undefined when the change only moves the cut-off. */
  readonly blockCause: string | undefined;
  readonly reason: string;
  readonly source: string;
  readonly receivedAtMs: number;
}

/**
 * How long an entry is kept. By then every caller token that it refuses has expired, and its event is not delivered
 * again. Two hours are added for clocks that differ and for delays.
 */
export const KEEP_MS = Math.max(MAX_CALLER_TOKEN_LIFE_MS, REDELIVERS_FOR_MS) + 2 * 3_600_000;
/** A table row has room for so many. Further causes of the same block are lifted with these (see `revoke.ts`). */
export const MAX_CAUSES = 100;

export function raise(entry: Entry | undefined, change: Change): Entry {
  const { scope, blockCause, reason, source, receivedAtMs } = change;
  if (entry === undefined) {
    const blocks = blockCause === undefined ? {} : { [blockCause]: receivedAtMs };
    const { cutOffSeconds } = change;
    return {
      scope,
      cutOffSeconds,
      blocked: hasAny(blocks),
      blocks,
      liftedAtMs: 0,
      reason,
      source,
      receivedAtMs,
    };
  }
  const blocks = withCause(entry, blockCause, receivedAtMs);
  if (change.cutOffSeconds <= entry.cutOffSeconds && blocks === entry.blocks) return entry;
  const cutOffSeconds = Math.max(entry.cutOffSeconds, change.cutOffSeconds);
  return { ...entry, cutOffSeconds, blocked: hasAny(blocks), blocks, reason, source, receivedAtMs };
}

/**
 * Removes these causes. Other causes go on blocking. The cut-off stays, so the tokens that it refuses stay refused.
 */
export function lift(entry: Entry, causes: readonly string[], nowMs: number): Entry {
  const kept = Object.entries(entry.blocks).filter(([cause]) => !causes.includes(cause));
  if (kept.length === Object.keys(entry.blocks).length) return entry;
  const blocks = Object.fromEntries(kept);
  // Each lift gets a time of its own, so that it can be told from the one before.
  const liftedAtMs = Math.max(nowMs, entry.liftedAtMs + 1);
  return { ...entry, blocked: hasAny(blocks), blocks, liftedAtMs };
}

/** Whether the entry can be removed, because every token that it refuses has expired. */
export function isSpent(
  entry: Pick<Entry, 'scope' | 'cutOffSeconds' | 'blocked' | 'receivedAtMs'>,
  nowMs: number,
): boolean {
  // The cut-off of a dropped token is its own expiry. Any holder can cause such entries, and every instance loads
  // all entries, so they are removed soon after the token has expired.
  if (entry.scope.kind === 'issued') return nowMs / 1000 - entry.cutOffSeconds > MAX_CLOCKS_DIFFER_SECONDS;
  const lastMs = Math.max(entry.cutOffSeconds * 1000, entry.receivedAtMs);
  return !entry.blocked && nowMs - lastMs > KEEP_MS;
}

function withCause(entry: Entry, cause: string | undefined, atMs: number): Entry['blocks'] {
  if (cause === undefined || cause in entry.blocks) return entry.blocks;
  if (Object.keys(entry.blocks).length >= MAX_CAUSES) return entry.blocks;
  return { ...entry.blocks, [cause]: atMs };
}

function hasAny(blocks: Entry['blocks']): boolean {
  return Object.keys(blocks).length > 0;
}
