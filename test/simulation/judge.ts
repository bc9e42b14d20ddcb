/** What must hold at every moment, by the invariants' numbers in design.md, and what callers were promised. */
import type { Slot } from '../../src/ports.ts';
import type { StoredRow } from '../../src/rotation/state.ts';
import { type Secret, sha256 } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import type { Cloud, Key } from './cloud.ts';
import type { Chance } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Process } from './wire.ts';

export interface Violation {
  readonly invariant: string;
  readonly at: string;
  readonly what: string;
}

const MINUTE_MS = 60_000;
/** Of calm, until whatever a hand broke is mended: a dead driver's lease, the longest lag of a key, two ticks. */
const HEALED_WITHIN_MS = 25 * MINUTE_MS;

export class Judge {
  readonly violations: Violation[] = [];
  /** Violations come in floods: the first few tell. */
  get isOver(): boolean {
    return this.violations.length >= 5;
  }
  private readonly tokens: { readonly key: Key; readonly expiresAtMs: number }[] = [];
  private readonly held = new Set<Key>();
  /** Published for want of an accepted one, and until when not every gateway knows it. */
  private readonly betterThanNone = new Map<Key, number>();
  private readonly emergencies = new Set<Slot>();
  private calmSinceMs: number | undefined;
  private readonly cloud: Cloud;
  private readonly timeline: Timeline;
  private readonly resource: string;
  private readonly trace: ((line: string) => void) | undefined;

  constructor(
    cloud: Cloud,
    timeline: Timeline,
    resource: string,
    trace: ((line: string) => void) | undefined,
  ) {
    this.cloud = cloud;
    this.timeline = timeline;
    this.resource = resource;
    this.trace = trace;
  }

  violated(invariant: string, what: string): void {
    const at = new Date(this.timeline.now()).toISOString();
    this.trace?.(`${at} VIOLATED ${invariant}: ${what}`);
    this.violations.push({ invariant, at, what });
  }
  note(what: string): void {
    this.trace?.(`${new Date(this.timeline.now()).toISOString()} ${what}`);
  }
  private row(): StoredRow | undefined {
    return this.cloud.row(this.resource);
  }

  // --- what drivers do --------------------------------------------------------------------------------

  readonly onChange = (
    process: Process,
    change: 'write' | 'regenerate' | 'disable',
    isLate: boolean,
    of?: Slot | Secret,
  ): void => {
    const row = this.row();
    const slot = typeof of === 'string' ? of : undefined;
    this.note(`${process.name} ${change} ${slot ?? ''}${isLate ? ' (late)' : ''}`);
    // What arrives late was sent under a lease that its driver gave up since.
    if (!isLate && row?.lease.holder.startsWith(`${process.name}/`) !== true) {
      this.violated(
        '4 one driver',
        `${process.name} does ${change} under the lease of '${row?.lease.holder}'`,
      );
    }
    if (slot !== undefined) this.onRegenerate(slot, row, isLate);
    else if (typeof of === 'object' && !isLate) this.onWrite(of);
  };

  private onWrite(value: Secret): void {
    const key = this.cloud.keys.get(value.reveal());
    const nowMs = this.timeline.now();
    if (key === undefined || nowMs >= key.acceptedByAllMs) return;
    const isBestOfAll = this.isCurrentKeyDead() && !this.isAnyKeyAcceptedByAll();
    // An emergency does not wait a minute to see that a key stays accepted, and neither does a heal.
    const isHasty = this.row()?.state.work?.emergency === true || this.isExcused(key) || isBestOfAll;
    if (!isHasty || nowMs < key.acceptedBySomeMs) {
      this.violated('2 current key', `${key.slot} is made current before it is accepted`);
    }
    if (this.isCurrentKeyDead()) this.betterThanNone.set(key, key.acceptedByAllMs);
  }

  /**
   * Then a heal is right to publish a key that only some gateways know yet. Example (seed 31840): the rotation
   * made a new Key1, which still lags; a hand regenerates Key2, which was current, so its old value is refused
   * everywhere and its new value not accepted anywhere. Key1 serves some of the calls, and every other choice
   * serves none. To wait for the span of a proof would only make the outage longer.
   */
  private isCurrentKeyDead(): boolean {
    const current = this.cloud.currentVersion();
    const key = current?.enabled ? this.cloud.keys.get(current.value) : undefined;
    return key === undefined || this.timeline.now() >= key.goneMs;
  }

  private isAnyKeyAcceptedByAll(): boolean {
    const { Key1, Key2 } = this.cloud.current;
    return [Key1, Key2].some((key) => this.timeline.now() >= key.acceptedByAllMs);
  }

  readonly onRow = ({ state: { active, retiring } }: StoredRow): void => {
    if (retiring !== undefined && retiring === active) {
      this.violated('2 current key', `nothing may be bought with ${active}, which is current`);
    }
  };

  private onRegenerate(slot: Slot, row: StoredRow | undefined, isLate: boolean): void {
    const key = this.cloud.current[slot];
    const work = row?.state.work;
    const intended = work?.phase.name === 'regenerating' && work.slot === slot;
    const before = work?.phase.name === 'regenerating' ? work.phase.before : undefined;
    if (!isLate && !key.byHand && (!intended || before !== sha256(key.value).slice(0, 16))) {
      this.violated(
        '5 crash-safe',
        `${slot} is regenerated, and no intent with its fingerprint is written down`,
      );
    }
    if (work?.emergency === true && this.emergencies.has(slot)) key.excusedUntilMs = Number.POSITIVE_INFINITY;
    if (this.isExcused(key)) return;
    const nowMs = this.timeline.now();
    if (this.cloud.currentVersion()?.value === key.value) {
      this.violated('2 current key', `${slot} is regenerated while it is the vault's current key`);
    }
    if (this.tokens.some((token) => token.key === key && token.expiresAtMs > nowMs)) {
      this.violated('3 drained', `${slot} is regenerated while a token bought with it lives`);
    }
    if (this.held.has(key))
      this.violated('3 drained', `${slot} is regenerated before its consumer had its time`);
  }

  readonly onText = (text: string): void => {
    this.note(text);
    if (text.includes('account-key-')) this.violated('8 no key in a text', text.slice(0, 60));
  };

  /** Of a driver or an exchange: nothing but an outage may come out of it. */
  outageOnly(error: unknown): void {
    if (error instanceof UpstreamFailure) this.note(error.message);
    else this.violated('7 outage is no decision', String(error instanceof Error ? error.stack : error));
  }

  onHeal(done: { readonly did: string } | undefined): void {
    const gone = ['prove', 'publish', 'regenerate', 'tidy'].includes(done?.did ?? '');
    if (gone) this.violated('10 own writes', `an event made the rotation go on: ${done?.did}`);
  }

  // --- what callers see -------------------------------------------------------------------------------

  onToken(token: Secret, lifeMs: number): void {
    const { key, expiresAtMs } = this.read(token);
    if (lifeMs > 600_000) this.violated('9 lifetime', `a token is said to live ${lifeMs} ms`);
    if (key !== undefined) this.tokens.push({ key, expiresAtMs });
  }

  useToken(token: Secret): void {
    const { key, expiresAtMs } = this.read(token);
    const nowMs = this.timeline.now();
    if (nowMs >= expiresAtMs) this.violated('9 lifetime', 'a token lives shorter than was said');
    if (key !== undefined && nowMs >= key.goneMs && !this.isExcused(key)) {
      this.violated('a token works to its last second', `bought with ${key.slot}, which is gone`);
    }
  }

  private read(token: Secret): { key: Key | undefined; expiresAtMs: number } {
    const [value = '', expiresAtMs] = token.reveal().split(' ');
    return { key: this.cloud.keys.get(value), expiresAtMs: Number(expiresAtMs) };
  }

  /** Somebody who reads the vault and uses the key at once. */
  watchCurrentKey(chance: Chance): void {
    const current = this.cloud.currentVersion();
    const key = current?.enabled ? this.cloud.keys.get(current.value) : undefined;
    const nowMs = this.timeline.now();
    const isYoung = key !== undefined && nowMs < (this.betterThanNone.get(key) ?? 0);
    if (key !== undefined && !isYoung && !this.isExcused(key) && !this.cloud.accepts(key.value, nowMs)) {
      this.violated('2 current key', `the vault's current key, ${key.slot}, is refused`);
    }
    this.timeline.at(this.timeline.now() + chance.between(1, 4) * MINUTE_MS, () =>
      this.watchCurrentKey(chance),
    );
  }

  /** A declared consumer: keeps a key for as long as it said. */
  watchConsumer(withinMs: number, chance: Chance): void {
    const current = this.cloud.currentVersion();
    const key = current?.enabled ? this.cloud.keys.get(current.value) : undefined;
    const againMs = this.timeline.now() + chance.between(MINUTE_MS, withinMs - 1);
    const use = (): void => {
      if (key !== undefined && !this.isExcused(key) && this.timeline.now() >= key.goneMs) {
        this.violated('3 drained', `a declared consumer's key, ${key.slot}, is refused within its time`);
      }
    };
    if (key !== undefined) {
      this.held.add(key);
      this.timeline.at(this.timeline.now() + chance.between(0, againMs - this.timeline.now()), use);
    }
    this.timeline.at(againMs, () => {
      use();
      if (key !== undefined) this.held.delete(key);
      this.watchConsumer(withinMs, chance);
    });
  }

  // --- what is excused --------------------------------------------------------------------------------

  excuse(key: Key, untilMs = Number.POSITIVE_INFINITY): void {
    key.excusedUntilMs = Math.max(key.excusedUntilMs, untilMs);
  }
  onEmergency(slot: Slot | undefined): void {
    for (const one of slot === undefined ? (['Key1', 'Key2'] as const) : [slot]) this.emergencies.add(one);
  }
  private isExcused(key: Key): boolean {
    return this.timeline.now() < key.excusedUntilMs;
  }

  // --- the end ----------------------------------------------------------------------------------------

  onCalmTick(): void {
    this.calmSinceMs ??= this.timeline.now();
    if (this.timeline.now() - this.calmSinceMs < HEALED_WITHIN_MS) return;
    const current = this.cloud.currentVersion();
    const isGood = current?.enabled === true && this.cloud.slotOf(current.value) !== undefined;
    if (!isGood) {
      this.violated('2 current key', 'what was broken from outside is not healed');
    }
  }

  isSteady(): boolean {
    const row = this.row();
    const current = this.cloud.currentVersion();
    if (row === undefined || current === undefined) return false;
    const { work, retiring, blocked, active } = row.state;
    return (
      work === undefined &&
      retiring === undefined &&
      blocked === undefined &&
      current.enabled &&
      this.cloud.slotOf(current.value) === active &&
      this.cloud.versions.every(({ enabled, value }) => !enabled || this.cloud.slotOf(value) !== undefined) &&
      !this.cloud.initial.some((value) => this.cloud.slotOf(value) !== undefined)
    );
  }

  onEnd(steady: boolean): void {
    if (!steady) this.violated('5 crash-safe', `not steady in the end: ${JSON.stringify(this.row())}`);
  }
}
