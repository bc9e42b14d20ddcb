/**
 * The tokens that this instance has cached. A token is bought when it is first wanted, by one purchase for everybody
 * who waits for it, and bought again in the background before it expires. Its cache key holds everything that it was
 * bought with, so one caller's token never reaches another caller. An STS token is dropped when the key that it
 * was bought with has an emergency.
 */

import { Lru } from '../lru.ts';
import type { Policy } from '../policy/schema.ts';
import type { Caller, Clock, IssuedToken, OnBehalfOfRefusal, Slot, SlotState } from '../ports.ts';
import type { TokenKind } from '../token-kind.ts';
import { UpstreamFailure } from '../upstream.ts';

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
/** A token is bought again when a fifth of its life is left. For an STS token of 600 s that is 120 s before its end. */
const REFRESH_AT_SHARE = 0.2;
/**
 * After a failed purchase the next one waits for this time, or for the Retry-After of the service, up to a maximum.
 * So a service that throttles is left alone, and an absurdly long Retry-After does not stop the exchange for hours.
 */
const HOLD_OFF_MS = 1_000;
export const MAX_HOLD_OFF_MS = 30_000;
/**
 * A key-exchange (STS) token says its end in whole seconds and nothing else that changes: two that are bought with
 * one key in one second have the same text. So a token that was revoked is replaced by one bought a second later.
 */
const SAME_TEXT_MS = 1_000;
/** A managed identity returns the same token until it is about to expire, so asking again sooner brings nothing new. */
const REFRESH_PAUSE_MS = 15_000;

interface Entry {
  held: Held | undefined;
  /** When the service answered with it. */
  boughtAtMs: number;
  buying: Promise<Held | OnBehalfOfRefusal> | undefined;
  failure: UpstreamFailure | undefined;
  /** Until then nothing is bought in the background; after a failed purchase nothing is bought at all. */
  quietUntilMs: number;
}

export interface Tokens {
  /** The cached token, if it has at least the minimum life left; undefined when one must be bought first. */
  held(wanted: Wanted, slots: SlotState | undefined): Held | undefined;
  /**
   * Buys a token. Exchanges that wait for the same token share one purchase.
   * @param revoked the cached token, which may not be handed out any more; the new one will have another text
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
    // The wait is part of the one purchase that everybody shares, so nobody else buys during it.
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
      // This purchase runs in the background. The caller of now gets the cached token, and a purchase that keeps
      // failing shows when that token has expired.
      if ((runsShort || isFromOldKey) && clock() >= entry.quietUntilMs)
        purchase(entry, wanted).catch(() => undefined);
      return held;
    },
    bought: async (wanted, revoked) => {
      const entry = entryOf(wanted);
      if (entry.buying === undefined && entry.failure !== undefined && clock() < entry.quietUntilMs)
        throw entry.failure;
      // Another exchange has bought its replacement meanwhile.
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
      // What Entra returns depends on the user's sign-in (`uti`), so each sign-in has a token of its own.
      return `obo ${resource.name} ${resource.scope} ${caller.tenantId} ${caller.objectId} ${caller.clientId} ${caller.uti}`;
  }
}
