/**
 * The world outside, in memory: an account with two keys that are accepted and forgotten late, a vault, the
 * tables. Everything here happens at once and without fail; wire.ts is what can go wrong on the way to it.
 */
import type { Slot } from '../../src/ports.ts';
import type { HistoryEntry, StoredRow } from '../../src/rotation/state.ts';
import type { Chance } from './random.ts';

export interface Key {
  readonly value: string;
  readonly slot: Slot;
  /** From here on some gateways accept it … */
  readonly acceptedBySomeMs: number;
  /** … and from here on all do. */
  readonly acceptedByAllMs: number;
  /** When the last gateway forgets it; infinite while it is a key of the account. */
  goneMs: number;
  /** Somebody outside broke it, or an emergency did on purpose: until then nothing is promised for it. */
  excusedUntilMs: number;
  /** Somebody outside regenerated it. */
  byHand: boolean;
}
export interface Version {
  readonly version: string;
  readonly value: string;
  readonly createdAtMs: number;
  tags: Record<string, string>;
  enabled: boolean;
}

/** Shorter than the span over which a key is proved: gateways learn of a key within it. */
const GATEWAYS_LEARN_MS = 45_000;

export class Cloud {
  readonly accountId =
    '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/sim/providers/Microsoft.CognitiveServices/accounts/speech';
  readonly keys = new Map<string, Key>();
  readonly current: Record<Slot, Key>;
  readonly initial: readonly string[];
  versions: Version[] = [];
  readonly rows = new Map<string, StoredRow>();
  readonly history = new Map<string, HistoryEntry>();
  readonly ledger = new Map<string, number>();
  head = 0;
  /** The rotator's role on the account is gone for the time being. */
  roleIsGone = false;
  private made = 0;
  private readonly chance: Chance;

  constructor(chance: Chance, nowMs: number) {
    this.chance = chance;
    this.current = { Key1: this.makeKey('Key1', nowMs, 0), Key2: this.makeKey('Key2', nowMs, 0) };
    this.initial = [this.current.Key1.value, this.current.Key2.value];
  }

  private makeKey(slot: Slot, nowMs: number, lagMs: number): Key {
    this.made += 1;
    const key: Key = {
      value: `account-key-${this.made}`,
      slot,
      acceptedBySomeMs: nowMs + Math.max(0, lagMs - GATEWAYS_LEARN_MS),
      acceptedByAllMs: nowMs + lagMs,
      goneMs: Number.POSITIVE_INFINITY,
      excusedUntilMs: 0,
      byHand: false,
    };
    this.keys.set(key.value, key);
    return key;
  }

  /** Returns the key that was replaced. */
  regenerate(slot: Slot, nowMs: number): Key {
    const old = this.current[slot];
    old.goneMs = nowMs + (this.chance.is(0.5) ? 0 : this.chance.between(0, 1_800_000));
    const lagMs = this.chance.is(0.4) ? 0 : this.chance.between(1_000, 600_000);
    this.current[slot] = this.makeKey(slot, nowMs, lagMs);
    return old;
  }

  accepts(value: string, nowMs: number): boolean {
    const key = this.keys.get(value);
    if (key === undefined || nowMs < key.acceptedBySomeMs || nowMs >= key.goneMs) return false;
    return nowMs >= key.acceptedByAllMs || this.chance.is(0.5);
  }

  slotOf(value: string): Slot | undefined {
    if (this.current.Key1.value === value) return 'Key1';
    return this.current.Key2.value === value ? 'Key2' : undefined;
  }

  addVersion(value: string, tags: Record<string, string>, nowMs: number): string {
    this.made += 1;
    const version = `version-${this.made}`;
    this.versions.push({ version, value, tags, createdAtMs: nowMs, enabled: true });
    return version;
  }
  /** Where a copy is read that is behind, the version before may still be shown. */
  currentVersion(behindMs = 0, nowMs = 0): Version | undefined {
    const [before, last] = this.versions.slice(-2);
    if (last === undefined) return before;
    return behindMs > 0 && nowMs - last.createdAtMs < behindMs && this.chance.is(0.5) ? before : last;
  }

  /** A copy that is behind may not have a young version yet. */
  versionNamed(version: string, behindMs: number, nowMs: number): Version | undefined {
    const found = this.versions.find((one) => one.version === version);
    if (found === undefined || behindMs === 0 || nowMs - found.createdAtMs >= behindMs) return found;
    return this.chance.is(0.5) ? undefined : found;
  }

  row(account: string): StoredRow | undefined {
    return this.rows.get(account);
  }
  /** The conditional write of a table: 412 and 409 are 'moved'. */
  writeRow(row: StoredRow): string | 'moved' {
    if (this.rows.get(row.account)?.etag !== row.etag) return 'moved';
    this.made += 1;
    const etag = `etag-${this.made}`;
    this.rows.set(row.account, { ...row, etag });
    return etag;
  }
}
