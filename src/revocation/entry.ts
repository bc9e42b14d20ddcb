/**
 * What is kept for one scope, and the only ways it changes. Every way is a join: doing it twice or in another
 * order ends in the same entry (invariant 6). Pure; the table adapter applies these under an ETag.
 */
import { MAX_CLOCKS_DIFFER_SECONDS } from '../clocks.ts';
import { MAX_CALLER_TOKEN_LIFE_MS } from '../facts/entra.ts';
import { REDELIVERS_FOR_MS } from '../facts/event-grid.ts';
import type { Revocation, Scope } from '../ports.ts';

export interface Entry extends Revocation {
  /** What blocks the scope: the cause's key, and when it arrived (ms). Blocked while there is one. */
  readonly blocks: Readonly<Record<string, number>>;
  /** When an operator last lifted blocks of it (ms); 0: never. Which causes were lifted, `lifted.ts` remembers. */
  readonly liftedAtMs: number;
  readonly reason: string;
  /** Who asked: `event`, `signal`, `graph`, `operator`, `holder`, with what names it. */
  readonly source: string;
  /** When the broker first heard of the revocation that moved the entry last. */
  readonly receivedAtMs: number;
}

export interface Change {
  readonly scope: Scope;
  readonly cutOffSeconds: number;
  /** The key of what asks for a block; undefined when only the cut-off moves. */
  readonly blockCause: string | undefined;
  readonly reason: string;
  readonly source: string;
  readonly receivedAtMs: number;
}

/**
 * An entry that is older than every caller token it refuses, and than every event that may be delivered again,
 * denies nothing any more. Two hours more are given to clocks and delays.
 */
export const KEEP_MS = Math.max(MAX_CALLER_TOKEN_LIFE_MS, REDELIVERS_FOR_MS) + 2 * 3_600_000;
/** A row has room for so many. More of them at a time are lifted together with these (see `revoke.ts`). */
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
 * Takes these causes out. Blocks by others stay, and so does the cut-off: what was revoked before it stays
 * revoked.
 */
export function lift(entry: Entry, causes: readonly string[], nowMs: number): Entry {
  const kept = Object.entries(entry.blocks).filter(([cause]) => !causes.includes(cause));
  if (kept.length === Object.keys(entry.blocks).length) return entry;
  const blocks = Object.fromEntries(kept);
  // Never the same instant twice, so that each lift can be told from the one before.
  const liftedAtMs = Math.max(nowMs, entry.liftedAtMs + 1);
  return { ...entry, blocked: hasAny(blocks), blocks, liftedAtMs };
}

/** True when nothing that the entry denies can still come. */
export function isSpent(entry: Entry, nowMs: number): boolean {
  // A dropped token's cut-off is its own end. Every holder may drop tokens as fast as they are bought: kept
  // longer, they would make the list that every exchange hangs on too long to be read in time.
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
