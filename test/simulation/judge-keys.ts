/** What must hold for an account's keys and the vault at every moment, by the invariants' numbers in src/README.md. */
import type { Slot } from '../../src/ports.ts';
import type { StoredRow } from '../../src/rotation/state.ts';
import { sha256 } from '../../src/secret.ts';
import type { Account, Key } from './account.ts';
import type { Change } from './azure.ts';
import type { Cloud } from './cloud.ts';
import type { Policies } from './policies.ts';
import type { Process } from './process.ts';
import type { Chance } from './random.ts';
import type { Version } from './secrets.ts';
import type { Timeline } from './timeline.ts';
import type { Verdict } from './verdict.ts';

const MINUTE_MS = 60_000;

export interface KeyJudgeOptions {
  readonly account: Account;
  readonly cloud: Cloud;
  readonly policies: Policies;
  readonly timeline: Timeline;
  readonly verdict: Verdict;
  readonly row: () => StoredRow | undefined;
  /** Whether a token that was bought with this key still lives. */
  readonly hasLiveToken: (key: Key) => boolean;
}

export class KeyJudge {
  /** Declared consumers hold these now. */
  private readonly held = new Set<Key>();
  /** Published for want of an accepted one, and until when not every gateway knows it. */
  private readonly betterThanNone = new Map<Key, number>();
  private readonly emergencies = new Set<Slot>();
  private readonly of: KeyJudgeOptions;

  constructor(options: KeyJudgeOptions) {
    this.of = options;
  }

  /** The vault's current version, by the policy in force. */
  current(): Version | undefined {
    const { policies, account, cloud } = this.of;
    const secret = policies.of(account)?.secret;
    return secret === undefined ? undefined : cloud.secrets.current(secret);
  }
  /**
   * The key that is bought with: in the secret that the row names. During the roll-out of a renamed secret the
   * new one may still hold what was current long ago.
   */
  private currentKey(): Key | undefined {
    const named = this.of.row()?.state.secret;
    const current = named ? this.of.cloud.secrets.current(named) : this.current();
    return current?.enabled ? this.of.cloud.keys.get(current.value) : undefined;
  }

  // --- what drivers do --------------------------------------------------------------------------------

  onChange(process: Process, change: Change, isLate: boolean): void {
    const { verdict, account } = this.of;
    const row = this.of.row();
    // What arrives late was sent under a lease that its driver gave up since.
    if (!isLate && row?.lease.holder.startsWith(`${process.name}/`) !== true) {
      const holder = row?.lease.holder ? `while ${row.lease.holder} has the lease` : 'without a lease';
      verdict.violated('4 one driver', `${process.name} does ${change.kind} at ${account.name} ${holder}`);
    }
    if (change.kind === 'regenerate') this.onRegenerate(change.slot, row, isLate);
    else if (change.kind === 'write' && !isLate) this.onWrite(change.secret, change.value.reveal());
  }

  private onWrite(secret: string, value: string): void {
    const key = this.of.cloud.keys.get(value);
    const nowMs = this.of.timeline.now();
    if (key === undefined || nowMs >= key.acceptedByAllMs || this.isThereAlready(secret, value)) return;
    const isBestOfAll = this.isCurrentKeyDead() && !this.isAnyKeyAcceptedByAll();
    // An emergency does not wait a minute to see that a key stays accepted, and neither does a heal.
    const isHasty = this.of.row()?.state.work?.emergency === true || this.isExcused(key) || isBestOfAll;
    if (!isHasty || nowMs < key.acceptedBySomeMs) {
      this.of.verdict.violated('2 current key', `${key.slot} is made current before it is accepted`);
    }
    if (this.isCurrentKeyDead()) this.betterThanNone.set(key, key.acceptedByAllMs);
  }

  /**
   * Then a heal is right to publish a key that only some gateways know yet. Example (seed 31840 of an earlier
   * version): the rotation made a new Key1, which still lags; a hand regenerates Key2, which was current, so
   * its old value is refused everywhere and its new value not accepted anywhere. Key1 serves some of the calls,
   * and every other choice serves none. To wait for the span of a proof would only make the outage longer.
   */
  private isCurrentKeyDead(): boolean {
    const key = this.currentKey();
    return key === undefined || this.of.timeline.now() >= key.replacedAtMs;
  }
  /**
   * Then the write makes no other key current, and whether this one was right was judged when it was written first.
   * Example (seed 8648 of an earlier version): a heal rightly put a young Key1 in the place of a dead Key2, and the
   * answer of its reading back was lost. The next tick does not know its version, tries both keys again, and writes
   * Key1 once more, since it is still the only one that works. Two versions with the same key do no harm (retire.ts).
   */
  private isThereAlready(secret: string, value: string): boolean {
    const there = this.of.cloud.secrets.current(secret);
    return there?.enabled === true && there.value === value;
  }
  private isAnyKeyAcceptedByAll(): boolean {
    const { Key1, Key2 } = this.of.account.current;
    return [Key1, Key2].some((key) => this.of.timeline.now() >= key.acceptedByAllMs);
  }

  onRow({ state: { active, retiring } }: StoredRow): void {
    if (retiring !== undefined && retiring === active) {
      this.of.verdict.violated('2 current key', `nothing may be bought with ${active}, which is current`);
    }
  }

  private onRegenerate(slot: Slot, row: StoredRow | undefined, isLate: boolean): void {
    const { account, verdict } = this.of;
    const key = account.current[slot];
    const work = row?.state.work;
    const intended = work?.phase.name === 'regenerating' && work.slot === slot;
    const before = work?.phase.name === 'regenerating' ? work.phase.before : undefined;
    if (!isLate && !key.byHand && (!intended || before !== sha256(key.value).slice(0, 16))) {
      verdict.violated(
        '5 crash-safe',
        `${slot} is regenerated, and no intent with its fingerprint is written down`,
      );
    }
    if (work?.emergency === true && this.emergencies.has(slot)) this.excuse(key);
    if (this.isExcused(key)) {
      // From here on it is dead, and only the healing of the vault is judged.
      this.excuse(key);
      return;
    }
    if (this.currentKey() === key) {
      verdict.violated('2 current key', `${slot} is regenerated while it is the vault's current key`);
    }
    if (this.of.hasLiveToken(key)) {
      verdict.violated('3 drained', `${slot} is regenerated while a token bought with it lives`);
    }
    if (this.held.has(key))
      verdict.violated('3 drained', `${slot} is regenerated before its consumer had its time`);
  }

  // --- what others do with the vault's key --------------------------------------------------------------

  /** Somebody who reads the vault now and then and uses the key at once. */
  watchCurrentKey(chance: Chance): void {
    const { timeline, account, verdict } = this.of;
    const key = this.currentKey();
    const nowMs = timeline.now();
    const isYoung = key !== undefined && nowMs < (this.betterThanNone.get(key) ?? 0);
    const isJudged = key !== undefined && !isYoung && !this.isExcused(key) && account.refusal === undefined;
    if (isJudged && !account.accepts(key.value, nowMs)) {
      verdict.violated(
        '2 current key',
        `the vault's current key of ${account.name}, ${key.slot}, is refused`,
      );
    }
    timeline.at(nowMs + chance.between(1, 4) * MINUTE_MS, () => this.watchCurrentKey(chance));
  }

  /** A declared consumer: keeps a key for as long as it said. */
  watchConsumer(withinMs: number, chance: Chance): void {
    const { timeline, verdict } = this.of;
    const key = this.currentKey();
    const againMs = timeline.now() + chance.between(MINUTE_MS, withinMs - 1);
    const use = (): void => {
      if (key !== undefined && !this.isExcused(key) && timeline.now() >= key.replacedAtMs) {
        verdict.violated('3 drained', `a declared consumer's key, ${key.slot}, is refused within its time`);
      }
    };
    if (key !== undefined) {
      this.held.add(key);
      timeline.at(chance.between(timeline.now(), againMs), use);
    }
    timeline.at(againMs, () => {
      use();
      if (key !== undefined) this.held.delete(key);
      this.watchConsumer(withinMs, chance);
    });
  }

  // --- what is excused, and the end ---------------------------------------------------------------------

  excuse(key: Key, untilMs = Number.POSITIVE_INFINITY): void {
    key.excusedUntilMs = Math.max(key.excusedUntilMs, untilMs);
  }
  onEmergency(slot: Slot | undefined): void {
    for (const one of slot === undefined ? (['Key1', 'Key2'] as const) : [slot]) this.emergencies.add(one);
  }
  isExcused(key: Key): boolean {
    return this.of.timeline.now() < key.excusedUntilMs;
  }

  /** Long after the last fault: the vault must hold a key of the account. */
  mustBeHealed(): void {
    const current = this.current();
    if (current?.enabled && this.of.account.slotOf(current.value) !== undefined) return;
    this.of.verdict.violated('2 current key', `what was broken at ${this.of.account.name} is not healed`);
  }

  /** No work is left, and both keys are others than in the beginning. */
  isSteady(): boolean {
    const { account, policies, cloud } = this.of;
    const row = this.of.row();
    const current = this.current();
    if (row === undefined || current === undefined) return false;
    const { work, retiring, blocked, active } = row.state;
    const versions = cloud.secrets.versions(policies.of(account)?.secret ?? '');
    const shown = cloud.published.get(account.key)?.state;
    return (
      shown?.generation === row.state.generation &&
      shown.retiring === undefined &&
      work === undefined &&
      retiring === undefined &&
      blocked === undefined &&
      current.enabled &&
      account.slotOf(current.value) === active &&
      versions.every(({ enabled, value }) => !enabled || account.slotOf(value) !== undefined) &&
      account.initial.every(({ value }) => account.slotOf(value) === undefined)
    );
  }
}
