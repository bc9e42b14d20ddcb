/**
 * The simulated Azure AI accounts: two keys each, what the shared gateway accepts and from when to when, and
 * what a person may do to them. Virtual time throughout. Kept in the data folder, so that they are there
 * again after `kill -9`.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import type { Clock, Slot } from '../../ports.ts';
import { sha256 } from '../../secret.ts';
import {
  type AccountOperation,
  type Actor,
  accountEvent,
  type EventGridEvent,
  personInPortal,
} from './accounts-events.ts';
import { loadJson, saveJson } from './durable.ts';

/** An account as it is created. */
export interface AccountSpec {
  /** The name the demo policy and the control service use. */
  readonly name: string;
  /** As ARM names it: SpeechServices, TextTranslation, OpenAI, ComputerVision, TextAnalytics, FormRecognizer. */
  readonly kind: string;
  readonly accountId: string;
  readonly region: string;
}

/** A key that is, was or soon will be accepted. */
export interface AccountKey {
  readonly slot: Slot;
  readonly value: string;
  readonly fingerprint: string;
  /** The gateway takes a while to learn a new key. */
  readonly acceptedFromMs: number;
  /** Regenerated: the gateway takes a while to forget it. `null`: it is the slot's key now. */
  readonly acceptedUntilMs: number | null;
}

export interface AccountSettings {
  /** How long a new key is refused, and an old one still accepted, after a regenerate. */
  newKeyLagMs: number;
  oldKeyLagMs: number;
  disableLocalAuth: boolean;
  /**
   * Whether a token dies with the key it was bought with. Microsoft does not say; the token's structure (no
   * key id, signed by the platform) says no, so that is the default. A broker must be right both ways.
   */
  tokensEndWithKey: boolean;
}

export interface Account extends AccountSpec {
  readonly settings: Readonly<AccountSettings>;
  readonly deleted: boolean;
  /** The current two, and those the gateway may still have to do with. */
  readonly keys: readonly AccountKey[];
}

/** What the gateway makes of a key: a slot's own, one that was regenerated but is not forgotten yet, or none. */
export type KeyVerdict = 'Key1' | 'Key2' | 'old' | undefined;

export interface Accounts {
  readonly resources: readonly Account[];
  /** Those that were created at this start; the others were in the data folder. */
  readonly created: readonly Account[];
  find(name: string): Account | undefined;
  findById(accountId: string): Account | undefined;
  /** The slot's key as ARM lists it, whether the gateway knows it yet or not. */
  currentKey(account: Account, slot: Slot): AccountKey;
  keyVerdict(name: string, key: string, nowMs: number): KeyVerdict;
  configure(name: string, settings: Partial<AccountSettings>): void;
  regenerate(name: string, slot: Slot, by: Actor): void;
  regenerateByHand(name: string, slot: Slot): void;
  /** Reading the keys changes nothing, yet Azure sends an event for it. */
  noteListKeys(name: string, by: Actor): void;
  remove(name: string): void;
  /** Under the same name and id an account with other keys, which knows no token of the one that is gone. */
  createAgain(name: string): void;
  /** HMAC-SHA-256 by a secret of the platform, which is the same after a restart. */
  platformSign(text: string): Buffer;
}

export interface AccountsOptions {
  readonly dataFolder: string;
  readonly specs: readonly AccountSpec[];
  readonly tenantId: string;
  readonly now: Clock;
  /** By which Azure Resource Manager dates its events. */
  readonly armClock: Clock;
  publish(event: EventGridEvent): void;
}

const key = z.strictObject({
  slot: z.enum(['Key1', 'Key2']),
  value: z.string(),
  fingerprint: z.string(),
  acceptedFromMs: z.number(),
  acceptedUntilMs: z.number().nullable(),
});
const saved = z.strictObject({
  platformSecret: z.string(),
  accounts: z.record(
    z.string(),
    z.strictObject({
      settings: z.strictObject({
        newKeyLagMs: z.number(),
        oldKeyLagMs: z.number(),
        disableLocalAuth: z.boolean(),
        tokensEndWithKey: z.boolean(),
      }),
      deleted: z.boolean(),
      keys: z.array(key),
    }),
  ),
});

/** A forgotten key is kept this long, to tell which key a token still out was bought with. */
const memoryMs = 3_600_000;

export function createAccounts(options: AccountsOptions): Accounts {
  const { specs, tenantId, now, armClock, publish } = options;
  const path = join(options.dataFolder, 'accounts.json');
  const found = loadJson(path);
  const state =
    found === undefined
      ? { platformSecret: randomBytes(32).toString('hex'), accounts: {} }
      : saved.parse(found);
  const accounts = new Map<string, Account>(
    specs.map((spec) => [spec.name, { ...spec, ...(state.accounts[spec.name] ?? created()) }]),
  );
  const createdNow = [...accounts.values()].filter(({ name }) => !(name in state.accounts));
  save();

  function save(): void {
    const entries = [...accounts.values()].map(({ name, settings, deleted, keys }) => [
      name,
      { settings, deleted, keys },
    ]);
    // An account that this start's policy does not name is still there when a later one names it again.
    const all = { ...state.accounts, ...Object.fromEntries(entries) };
    saveJson(path, { platformSecret: state.platformSecret, accounts: all });
  }
  function get(name: string): Account {
    const account = accounts.get(name);
    if (account === undefined) throw new RangeError(`there is no account '${name}'`);
    return account;
  }
  function change(name: string, changes: Partial<Account>): void {
    accounts.set(name, { ...get(name), ...changes });
    save();
  }
  function tell(operation: AccountOperation, name: string, by: Actor): void {
    publish(accountEvent(operation, get(name).accountId, by, armClock()));
  }
  function regenerate(name: string, slot: Slot, by: Actor): void {
    const account = get(name);
    const at = now();
    const others = account.keys.filter(
      (one) => one.acceptedUntilMs === null || one.acceptedUntilMs > at - memoryMs,
    );
    const replaced = others.map((one) =>
      one.slot === slot && one.acceptedUntilMs === null
        ? { ...one, acceptedUntilMs: at + account.settings.oldKeyLagMs }
        : one,
    );
    change(name, { keys: [...replaced, newKey(slot, at + account.settings.newKeyLagMs)] });
    tell('regenerateKey', name, by);
  }

  return {
    get resources() {
      return [...accounts.values()];
    },
    created: createdNow,
    find: (name) => accounts.get(name),
    findById: (accountId) =>
      [...accounts.values()].find(
        (account) => account.accountId.toLowerCase() === accountId.toLowerCase() && !account.deleted,
      ),
    currentKey(account, slot) {
      const current = account.keys.find((one) => one.slot === slot && one.acceptedUntilMs === null);
      if (current === undefined) throw new Error(`account '${account.name}' has lost its ${slot}`);
      return current;
    },
    keyVerdict(name, value, nowMs) {
      const account = accounts.get(name);
      if (account === undefined || account.deleted) return undefined;
      const match = account.keys.find((one) => one.value === value);
      if (match === undefined || nowMs < match.acceptedFromMs) return undefined;
      if (match.acceptedUntilMs === null) return match.slot;
      return nowMs < match.acceptedUntilMs ? 'old' : undefined;
    },
    configure: (name, settings) => change(name, { settings: { ...get(name).settings, ...settings } }),
    regenerate,
    regenerateByHand: (name, slot) => regenerate(name, slot, personInPortal(tenantId)),
    noteListKeys: (name, by) => tell('listKeys', name, by),
    remove(name) {
      change(name, { deleted: true });
      tell('delete', name, personInPortal(tenantId));
    },
    createAgain(name) {
      change(name, created());
      tell('write', name, personInPortal(tenantId));
    },
    platformSign: (text) => createHmac('sha256', state.platformSecret).update(text).digest(),
  };
}

function created(): Pick<Account, 'settings' | 'deleted' | 'keys'> {
  return {
    settings: { newKeyLagMs: 0, oldKeyLagMs: 0, disableLocalAuth: false, tokensEndWithKey: false },
    deleted: false,
    keys: [newKey('Key1', 0), newKey('Key2', 0)],
  };
}

/** 84 letters and digits, the length of the keys Azure gives today. */
function newKey(slot: Slot, acceptedFromMs: number): AccountKey {
  const value = randomBytes(96)
    .toString('base64')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .padEnd(84, '0')
    .slice(0, 84);
  return { slot, value, fingerprint: fingerprintOf(value), acceptedFromMs, acceptedUntilMs: null };
}

/** The first 16 hexadecimal digits of the key's SHA-256: all that a log may show of it. */
export function fingerprintOf(value: string): string {
  return sha256(value).slice(0, 16);
}
