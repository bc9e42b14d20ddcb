/** An Azure AI account: two keys, and gateways that learn of a new key and forget an old one at different times. */
import { accountKey } from '../../src/account-key.ts';
import type { AccountKeys, AccountRefusal, Slot } from '../../src/ports.ts';
import { Secret } from '../../src/secret.ts';
import type { Chance } from './random.ts';

export interface Key {
  readonly value: string;
  /** The same value; made once, because its hash is asked for often. */
  readonly secret: Secret;
  readonly slot: Slot;
  readonly account: Account;
  /** When each gateway learns of it. Until all have, even one that knows it refuses it now and then. */
  readonly learnedAtMs: readonly number[];
  readonly acceptedBySomeMs: number;
  readonly acceptedByAllMs: number;
  /** When each gateway forgets it, from the moment on at which it is replaced. */
  forgottenAtMs: readonly number[];
  /** From here on it is no key of the account any more. */
  replacedAtMs: number;
  /** Somebody outside broke it, or an emergency did on purpose: until then nothing is promised for it. */
  excusedUntilMs: number;
  /** Somebody outside had it made … */
  byHand: boolean;
  /** … or replaced. */
  replacedByHand: boolean;
}

const GATEWAYS = [0, 1, 2];
/** Assumed of Azure: from the first gateway that knows a key to the last. Shorter than the span of a proof. */
const GATEWAYS_LEARN_MS = 45_000;
const LONGEST_LAG_MS = 600_000;
const LONGEST_MEMORY_MS = 1_800_000;

export class Account {
  readonly name: string;
  readonly id: string;
  /** Under which the tables hold its rotation and its ledger. */
  readonly key: string;
  current: Record<Slot, Key>;
  /** What it was made with: no rotation is whole before both are gone. */
  readonly initial: readonly Key[];
  /** Why it gives no keys and accepts none, while that is so. */
  refusal: AccountRefusal | undefined;
  private readonly chance: Chance;
  private readonly keys: Map<string, Key>;

  /** @param keys all keys of all accounts, to which this one adds its own */
  constructor(chance: Chance, keys: Map<string, Key>, name: string, nowMs: number) {
    this.chance = chance;
    this.keys = keys;
    this.name = name;
    this.id = `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/sim/providers/Microsoft.CognitiveServices/accounts/${name}`;
    this.key = accountKey(this.id);
    this.current = { Key1: this.makeKey('Key1', nowMs, 0), Key2: this.makeKey('Key2', nowMs, 0) };
    this.initial = [this.current.Key1, this.current.Key2];
  }

  private makeKey(slot: Slot, nowMs: number, lagMs: number, byHand = false): Key {
    const acceptedByAllMs = nowMs + lagMs;
    const acceptedBySomeMs = nowMs + Math.max(0, lagMs - GATEWAYS_LEARN_MS);
    const value = `account-key-${this.keys.size + 1}`;
    const key: Key = {
      value,
      secret: new Secret(value),
      slot,
      account: this,
      learnedAtMs: GATEWAYS.map(() => this.chance.between(acceptedBySomeMs, acceptedByAllMs)),
      acceptedBySomeMs,
      acceptedByAllMs,
      forgottenAtMs: [],
      replacedAtMs: Number.POSITIVE_INFINITY,
      excusedUntilMs: 0,
      byHand,
      replacedByHand: false,
    };
    this.keys.set(key.value, key);
    return key;
  }

  /** Returns the key that was replaced. */
  regenerate(slot: Slot, nowMs: number, byHand = false): Key {
    const old = this.current[slot];
    const lastMs = nowMs + (this.chance.is(0.5) ? 0 : this.chance.between(0, LONGEST_MEMORY_MS));
    old.replacedAtMs = nowMs;
    old.replacedByHand = byHand;
    old.forgottenAtMs = GATEWAYS.map((gateway) =>
      gateway === 0 ? lastMs : this.chance.between(nowMs, lastMs),
    );
    const lagMs = this.chance.is(0.4) ? 0 : this.chance.between(1_000, LONGEST_LAG_MS);
    this.current[slot] = this.makeKey(slot, nowMs, lagMs, byHand);
    return old;
  }

  /** Deleted and made again under the same name: both keys are others, and both work at once. */
  recreate(nowMs: number): void {
    for (const slot of ['Key1', 'Key2'] as const) {
      const old = this.current[slot];
      old.replacedAtMs = nowMs;
      old.replacedByHand = true;
      old.forgottenAtMs = GATEWAYS.map(() => nowMs);
      this.current[slot] = this.makeKey(slot, nowMs, 0, true);
    }
    this.refusal = undefined;
  }

  listed(): AccountKeys | AccountRefusal {
    const { Key1, Key2 } = this.current;
    return this.refusal ?? { Key1: Key1.secret, Key2: Key2.secret };
  }

  accepts(value: string, nowMs: number, gateway = this.chance.between(0, GATEWAYS.length - 1)): boolean {
    const key = this.keys.get(value);
    if (key?.account !== this || this.refusal !== undefined) return false;
    if (nowMs >= key.replacedAtMs) return nowMs < (key.forgottenAtMs[gateway] ?? 0);
    if (nowMs >= key.acceptedByAllMs) return true;
    return nowMs >= (key.learnedAtMs[gateway] ?? 0) && this.chance.is(0.8);
  }

  slotOf(value: string): Slot | undefined {
    if (this.current.Key1.value === value) return 'Key1';
    return this.current.Key2.value === value ? 'Key2' : undefined;
  }
}
