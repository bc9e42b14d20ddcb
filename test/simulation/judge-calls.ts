/** What callers are promised: whether an exchange succeeds, and what the token it hands out is good for. */
import type { Granted } from '../../src/exchange/hand-out.ts';
import type { RotationState } from '../../src/rotation/state.ts';
import type { Secret } from '../../src/secret.ts';
import type { Account, Key } from './account.ts';
import type { Chance } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Verdict } from './verdict.ts';

/** After the last fault of the network no exchange fails any more once so much time is over: the longest hold-off, and a reload of what the head row stands for. */
export const MAX_OUTAGE_AFTER_NETWORK_MS = 120_000;
/**
 * Where somebody broke a key, a secret or a policy, or there was an emergency, so much time after that and after
 * the last fault of the network: a dead driver's lease (4 minutes), the longest lag of a key (10), two ticks of
 * the timer (10).
 */
export const MAX_OUTAGE_AFTER_HAND_MS = 1_500_000;

interface Issued {
  readonly key: Key;
  readonly issuedAtMs: number;
  /** By true time. */
  readonly expiresAtMs: number;
}

export class CallJudge {
  private readonly issued = new Map<Secret, Issued>();
  /** The end of the last token that a caller got, by the key that it was bought with. */
  private readonly handedOutUntilMs = new Map<Key, number>();
  private networkIsFairSinceMs = Number.POSITIVE_INFINITY;
  /** Nothing is promised before the account is adopted. */
  private excusedUntilMs = Number.POSITIVE_INFINITY;
  /** Keys that an operator's emergency has marked, and since when no exchange may begin that hands out their tokens. */
  private readonly markedSinceMs = new Map<Key, number>();
  private wasTroubled = false;
  private epoch = 0;
  private epochWrittenAtMs = 0;
  /** The last epoch that every exchange which begins now must know, and since when. */
  private visible = { epochWrittenAtMs: 0, sinceMs: 0 };
  private readonly account: Account;
  private readonly timeline: Timeline;
  private readonly verdict: Verdict;

  constructor(account: Account, timeline: Timeline, verdict: Verdict) {
    this.account = account;
    this.timeline = timeline;
    this.verdict = verdict;
  }

  // --- the weather --------------------------------------------------------------------------------------

  networkIsFair(): void {
    this.networkIsFairSinceMs = this.timeline.now();
    // What was broken by hand could not be mended while calls failed.
    if (this.wasTroubled) this.troubled(this.networkIsFairSinceMs);
  }
  /** Somebody outside, or an emergency, is at it until this time. */
  troubled(untilMs: number): void {
    this.wasTroubled = true;
    if (this.excusedUntilMs === Number.POSITIVE_INFINITY) return;
    this.excusedUntilMs = Math.max(this.excusedUntilMs, untilMs + MAX_OUTAGE_AFTER_HAND_MS);
  }
  isTroubled(): boolean {
    return this.timeline.now() <= this.excusedUntilMs;
  }

  onRow({ work }: RotationState): void {
    const isEmergency = work !== undefined && [work, ...work.queue].some(({ emergency }) => emergency);
    if (isEmergency) this.troubled(this.timeline.now());
  }
  /** What exchanges read from now on. */
  onPublished(state: RotationState, vaultLagMs: number): void {
    const nowMs = this.timeline.now();
    if (this.excusedUntilMs === Number.POSITIVE_INFINITY && state.generation > 0)
      this.excusedUntilMs = nowMs + vaultLagMs;
    if (state.epoch > this.epoch) {
      this.epoch = state.epoch;
      this.epochWrittenAtMs = nowMs;
    }
  }
  onMarked(key: Key): void {
    this.markedSinceMs.set(
      key,
      Math.min(this.timeline.now(), this.markedSinceMs.get(key) ?? Number.POSITIVE_INFINITY),
    );
  }
  onBump(): void {
    if (this.visible.epochWrittenAtMs !== this.epochWrittenAtMs)
      this.visible = { epochWrittenAtMs: this.epochWrittenAtMs, sinceMs: this.timeline.now() };
  }

  // --- what an exchange ends in -------------------------------------------------------------------------

  onFailure(beganAtMs: number, why: string): void {
    const isFair = beganAtMs > this.networkIsFairSinceMs + MAX_OUTAGE_AFTER_NETWORK_MS;
    if (isFair && beganAtMs > this.excusedUntilMs)
      this.verdict.violated('12 no failed exchange', `${this.account.name}: ${why}`);
  }

  readonly onIssued = (token: Secret, key: Key, expiresAtMs: number): void => {
    this.issued.set(token, { key, issuedAtMs: this.timeline.now(), expiresAtMs });
  };
  /** Of those that were handed out: one that was bought too slowly is thrown away. */
  hasLiveToken(key: Key): boolean {
    return this.timeline.now() < (this.handedOutUntilMs.get(key) ?? 0);
  }

  /**
   * The token is used twice in the life it is said to have, and once in its last millisecond.
   * @param clockJumpMs how far the instance's clock may have jumped since the token was bought
   */
  onGranted(
    { token }: Granted,
    beganAtMs: number,
    lifeMs: number,
    clockJumpMs: number,
    chance: Chance,
  ): void {
    const issued = this.issued.get(token);
    if (issued === undefined) {
      this.verdict.violated('1 verified', 'a token is handed out that the service did not issue');
      return;
    }
    const { key, issuedAtMs, expiresAtMs } = issued;
    const nowMs = this.timeline.now();
    if (lifeMs > 600_000 + clockJumpMs)
      this.verdict.violated('9 lifetime', `a token is said to live ${lifeMs} ms`);
    if (nowMs + lifeMs > expiresAtMs + clockJumpMs)
      this.verdict.violated('9 lifetime', 'a token lives shorter than is said');
    if (beganAtMs > this.visible.sinceMs && issuedAtMs < this.visible.epochWrittenAtMs)
      this.verdict.violated('emergency', 'a token bought before an emergency is handed out after it');
    if (beganAtMs > (this.markedSinceMs.get(key) ?? Number.POSITIVE_INFINITY))
      this.verdict.violated('emergency', `a token is handed out that was bought with a marked ${key.slot}`);
    // Of what a hand does an exchange cannot know.
    if (beganAtMs > key.replacedAtMs && !key.replacedByHand)
      this.verdict.violated('emergency', `a token is handed out that was bought with a dead ${key.slot}`);
    this.handedOutUntilMs.set(key, Math.max(expiresAtMs, this.handedOutUntilMs.get(key) ?? 0));
    const goodMs = Math.min(lifeMs, expiresAtMs - nowMs);
    for (const part of [chance.next(), chance.next(), 1]) {
      const useMs = nowMs + Math.max(0, Math.floor(goodMs * part) - 1);
      this.timeline.at(useMs, () => this.useToken(key));
    }
  }

  private useToken(key: Key): void {
    const nowMs = this.timeline.now();
    if (nowMs < key.replacedAtMs || nowMs < key.excusedUntilMs) return;
    this.verdict.violated('a token works to its last second', `bought with ${key.slot}, which is gone`);
  }
}
