/**
 * The tokens this instance holds: bought when first wanted, by one call however many wait, and bought again
 * in the background before they run short. A token is kept under everything it was bought with, so that one
 * caller's can never reach another (and, for STS, until its slot has an emergency).
 */
import type { Policy } from '../policy/schema.ts';
import type { Caller, Clock, IssuedToken, OnBehalfOfRefusal, Slot, SlotState } from '../ports.ts';
import type { TokenKind } from '../token-kind.ts';
import { UpstreamFailure } from '../upstream.ts';
import { Lru } from './lru.ts';

type Resource = Policy['resources'][number];

export interface Held extends IssuedToken {
  readonly issuedAtMs: number;
  /** The slot it was bought with; undefined for Entra tokens. */
  readonly slot: Slot | undefined;
  readonly epoch: number;
  readonly generation: number;
}
export interface Wanted {
  readonly resource: Resource;
  readonly kind: TokenKind;
  /** Where the token is to be used. */
  readonly endpoint: string;
  readonly caller: Caller;
}
export type Buy = (wanted: Wanted) => Promise<Held | OnBehalfOfRefusal>;

const MAX_TOKENS = 10_000;
/** Refreshed when a fifth of its life is left: 120 s of 600 s, so two STS calls serve any ten minutes. */
const REFRESH_AT_SHARE = 0.2;
/**
 * After a failed purchase the next waits this long, or as long as the service asks, up to a limit: a wrong key
 * or a throttled service is not hammered, and an absurd wait is no lock.
 */
const HOLD_OFF_MS = 1_000;
const MAX_HOLD_OFF_MS = 30_000;
/**
 * A key-exchange (STS) token says its end in whole seconds and nothing else that changes: two that are bought with
 * one key in one second have the same text. So a token that was revoked is replaced by one bought a second later.
 */
const SAME_TEXT_MS = 1_000;
/** A managed identity gives the same token until its end is near: asking again at once would be in vain. */
const REFRESH_PAUSE_MS = 15_000;

interface Entry {
  held: Held | undefined;
  /** When the service answered with it. */
  boughtAtMs: number;
  buying: Promise<Held | OnBehalfOfRefusal> | undefined;
  failure: UpstreamFailure | undefined;
  /** No purchase in the background before this; none at all after a failure. */
  quietUntilMs: number;
}

export interface Tokens {
  /** A token with at least the minimum of life left, now; undefined when one must be bought first. */
  held(wanted: Wanted, slots: SlotState | undefined): Held | undefined;
  /**
   * Buys, together with whoever waits for the same.
   * @param revoked the token that was held and may not be handed out any more: the new one will have another text
   * @throws UpstreamFailure
   */
  bought(wanted: Wanted, revoked?: Held): Promise<Held | OnBehalfOfRefusal>;
}

export function createTokens(
  buy: Buy,
  clock: Clock,
  minimumLifeMs: number,
  sleep: (ms: number) => Promise<unknown>,
): Tokens {
  const entries = new Lru<Entry>(MAX_TOKENS);
  const entryOf = (wanted: Wanted): Entry => {
    const key = keyOf(wanted);
    let entry = entries.get(key);
    if (entry === undefined) {
      entry = { held: undefined, boughtAtMs: 0, buying: undefined, failure: undefined, quietUntilMs: 0 };
      entries.set(key, entry);
    }
    return entry;
  };
  const buyAnother = async (entry: Entry, wanted: Wanted, revoked: Held | undefined) => {
    // The wait is part of the one purchase that all share, so however many come, nobody buys in the meantime.
    const waitMs = revoked?.slot === undefined ? 0 : entry.boughtAtMs + SAME_TEXT_MS - clock();
    if (waitMs > 0) await sleep(Math.min(waitMs, SAME_TEXT_MS));
    return buy(wanted);
  };
  const purchase = (entry: Entry, wanted: Wanted, revoked?: Held): Promise<Held | OnBehalfOfRefusal> => {
    entry.buying ??= buyAnother(entry, wanted, revoked)
      .then((answer) => {
        entry.failure = undefined;
        entry.quietUntilMs = clock() + REFRESH_PAUSE_MS;
        if ('token' in answer) Object.assign(entry, { held: answer, boughtAtMs: clock() });
        return answer;
      })
      .catch((error: unknown) => {
        entry.failure = error instanceof UpstreamFailure ? error : undefined;
        const askedMs = (entry.failure?.retryAfterSeconds ?? 0) * 1000;
        entry.quietUntilMs = clock() + Math.min(Math.max(HOLD_OFF_MS, askedMs), MAX_HOLD_OFF_MS);
        throw error;
      })
      .finally(() => {
        entry.buying = undefined;
      });
    return entry.buying;
  };

  return {
    held: (wanted, slots) => {
      const entry = entryOf(wanted);
      const { held } = entry;
      if (held === undefined) return undefined;
      const leftMs = held.expiresAtMs - clock();
      const fromBurntKey = held.slot !== undefined && held.epoch !== (slots?.epoch ?? 0);
      if (leftMs <= minimumLifeMs || fromBurntKey) return undefined;
      const runsShort =
        leftMs <
        Math.max(minimumLifeMs + REFRESH_PAUSE_MS, (held.expiresAtMs - held.issuedAtMs) * REFRESH_AT_SHARE);
      const isFromOldKey = held.slot !== undefined && held.generation !== (slots?.generation ?? 0);
      // In the background: whoever asks now is served with what there is, and a failure shows when it runs out.
      if ((runsShort || isFromOldKey) && clock() >= entry.quietUntilMs)
        purchase(entry, wanted).catch(() => undefined);
      return held;
    },
    bought: async (wanted, revoked) => {
      const entry = entryOf(wanted);
      if (entry.buying === undefined && entry.failure !== undefined && clock() < entry.quietUntilMs)
        throw entry.failure;
      // Another exchange has replaced it meanwhile.
      if (revoked !== undefined && entry.held !== undefined && entry.held !== revoked) return entry.held;
      return purchase(entry, wanted, revoked);
    },
  };
}

function keyOf({ resource, kind, endpoint, caller }: Wanted): string {
  switch (kind) {
    case 'sts':
      return `sts ${resource.name} ${endpoint}`;
    case 'entra':
      return `entra ${resource.name} ${JSON.stringify(resource.identity)} ${resource.scope}`;
    case 'obo':
      // The sign-in behind the user's token decides what Entra gives for it, so another sign-in is another token.
      return `obo ${resource.name} ${resource.scope} ${caller.tenantId} ${caller.objectId} ${caller.clientId} ${caller.uti}`;
  }
}
