/** Accounts, a vault and tables in memory, for one driver at a time; faults are put in by hand. */
import { accountKey } from '../../src/account-key.ts';
import type { Resource, Rotation } from '../../src/policy/schema.ts';
import type { AccountRefusal, Slot, VaultKey } from '../../src/ports.ts';
import type { PlanReader, PlanRow } from '../../src/rotation/plan-row.ts';
import { createPlanned, type Overdue, type Planned } from '../../src/rotation/planned.ts';
import type { Pause, RotationPorts } from '../../src/rotation/ports.ts';
import { createRotation, type KeyRotation } from '../../src/rotation/rotate.ts';
import type { Account as Told } from '../../src/rotation/shown.ts';
import type { HistoryEntry, PublishedRow, StoredRow } from '../../src/rotation/state.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

export const START_MS = Date.UTC(2026, 10, 22, 12);
export const MINUTE_MS = 60_000;

export interface Account {
  Key1: string;
  Key2: string;
  refusal?: AccountRefusal;
  /** Keys that the data plane refuses for now. */
  readonly refused: Set<string>;
  /** Keys of before that it still accepts. */
  readonly alsoAccepted: Set<string>;
}

export class World {
  nowMs = START_MS;
  readonly accounts = new Map<string, Account>();
  readonly secrets = new Map<
    string,
    { version: string; value: string; tags: Record<string, string>; enabled: boolean }[]
  >();
  readonly deleted = new Set<string>();
  readonly rows = new Map<string, StoredRow | 'unreadable'>();
  /** The rows that exchanges read. */
  readonly published = new Map<string, PublishedRow | 'unreadable'>();
  readonly history: HistoryEntry[] = [];
  readonly plans = new Map<string, PlanRow>();
  readonly pauses = new Map<string, Pause>();
  readonly ledger = new Map<string, number>();
  readonly logged: string[] = [];
  /** What was changed or asked outside, in order. */
  readonly calls: string[] = [];
  bumps = 0;
  /** Called before each call; throw here to let it fail. */
  before: (call: string) => void = () => undefined;
  private made = 0;
  readonly resources: Resource[];
  readonly rotation: KeyRotation;

  constructor(resources: Resource[] = [resourceNamed('speech')]) {
    this.resources = resources;
    for (const { accountId } of resources) {
      this.accounts.set(accountId, {
        Key1: this.makeKey(),
        Key2: this.makeKey(),
        refused: new Set(),
        alsoAccepted: new Set(),
      });
    }
    this.rotation = this.driver('test');
  }
  /** @param resources as another policy has them */
  driver(instance: string, resources = this.resources, handsBack = false): KeyRotation {
    return createRotation(this.ports(), resources, instance, async () => undefined, handsBack);
  }

  /** What the issuer app tells of the plans that are written. */
  planned(resources = this.resources): Planned {
    const reader: PlanReader = {
      all: async () => [...this.plans.values()],
      history: async (account, most, before = Number.POSITIVE_INFINITY) =>
        this.history
          .filter((entry) => entry.account === account && entry.fence < before)
          .reverse()
          .slice(0, most),
    };
    const ledger = {
      latestExpiryMs: async (account: string, slot: Slot) =>
        this.ledger.get(`${account.split(':').at(-1)} ${slot}`) ?? 0,
    };
    return createPlanned(
      reader,
      { all: async () => this.pauses },
      ledger,
      () => resources,
      () => this.nowMs,
    );
  }
  /** After a look at everything. */
  async plan(resources = this.resources): Promise<readonly Told[]> {
    for (const { name } of resources) await this.driver('plan', resources).tellPlan(name);
    return this.planned(resources).accounts();
  }
  /** Without another look. */
  overdue(): Promise<Overdue> {
    return this.planned().overdue();
  }

  makeKey(): string {
    this.made += 1;
    return `account-key-${this.made}`;
  }
  account(name = 'speech'): Account {
    const found = this.accounts.get(accountOf(name));
    if (found === undefined) throw new Error(`no account ${name}`);
    return found;
  }
  row(name = 'speech'): StoredRow {
    const row = this.rows.get(keyOf(name));
    if (typeof row !== 'object') throw new Error(`the row of ${name} is ${row}`);
    return row;
  }
  shown(name = 'speech'): PublishedRow {
    const row = this.published.get(keyOf(name));
    if (typeof row !== 'object') throw new Error(`the published row of ${name} is ${row}`);
    return row;
  }
  /** As an issuer does it (azure/emergency-mark.ts). */
  mark(slot: Slot, demand: string, name = 'speech'): void {
    const row = this.shown(name);
    const marks = { ...row.marks, [slot]: { count: row.marks[slot].count + 1, demand } };
    const { epoch, retiring, active } = row.state;
    const state = { ...row.state, epoch: epoch + 1, retiring: retiring === active ? active : slot };
    this.published.set(keyOf(name), { ...row, state, marks, etag: this.newEtag() });
  }
  newEtag(): string {
    this.made += 1;
    return `etag-${this.made}`;
  }
  current(name = 'speech') {
    return this.secrets.get(`${name}-key`)?.at(-1);
  }
  phase(name = 'speech'): string | undefined {
    return this.row(name).state.work?.phase.name;
  }
  addVersion(value: string, tags: Record<string, string>, name = 'speech'): void {
    const versions = this.secrets.get(`${name}-key`) ?? [];
    this.made += 1;
    this.secrets.set(`${name}-key`, [...versions, { version: `v${this.made}`, value, tags, enabled: true }]);
  }
  /** Ticks every five minutes until the phase is this one, or for two days. */
  async tickUntil(phase: string | undefined, name = 'speech'): Promise<void> {
    for (let ticks = 0; ticks < 600; ticks += 1) {
      await this.tick();
      if (this.phase(name) === phase) return;
    }
    throw new Error(`never ${phase}: ${JSON.stringify(this.row(name))}`);
  }
  async tick() {
    this.nowMs += 5 * MINUTE_MS;
    return this.rotation.tick();
  }
  /** From adoption to the first step of a rotation that is begun now. */
  async begun(): Promise<void> {
    await this.tick();
    await this.rotation.retireNow('speech', { emergency: false, reason: 'test' });
  }

  ports(): RotationPorts {
    const on = (call: string): void => {
      this.before(call);
      this.calls.push(call);
    };
    const keysOf = (accountId: string) => {
      const account = this.accounts.get(accountId);
      if (account === undefined) return 'notFound';
      return account.refusal ?? { Key1: new Secret(account.Key1), Key2: new Secret(account.Key2) };
    };
    const shown = (found: ReturnType<World['current']>): VaultKey | 'absent' | 'disabled' => {
      if (found === undefined) return 'absent';
      if (!found.enabled) return 'disabled';
      return { ...found, value: new Secret(found.value), createdAtMs: 0, expiresAtMs: undefined };
    };
    return {
      accounts: {
        listKeys: async (accountId) => {
          on(`listKeys ${nameOf(accountId)}`);
          return keysOf(accountId);
        },
        regenerate: async (accountId, slot) => {
          const account = this.accounts.get(accountId);
          if (account === undefined || account.refusal) return keysOf(accountId);
          on(`regenerate ${nameOf(accountId)} ${slot}`);
          account.refused.add(account[slot]);
          account[slot] = this.makeKey();
          return keysOf(accountId);
        },
      },
      vault: {
        current: async (secret) => {
          on(`current ${secret}`);
          return shown(this.secrets.get(secret)?.at(-1));
        },
        read: async (secret, version) =>
          shown(this.secrets.get(secret)?.find((one) => one.version === version)),
        write: async (secret, value, tags) => {
          on(`write ${secret}`);
          if (this.deleted.has(secret)) return 'deleted';
          this.addVersion(value.reveal(), tags, secret.replace(/-key$/, ''));
          return { version: this.secrets.get(secret)?.at(-1)?.version ?? '' };
        },
        versions: async (secret) =>
          (this.secrets.get(secret) ?? []).map(({ value: _, ...rest }) => ({
            ...rest,
            createdAtMs: 0,
            expiresAtMs: undefined,
          })),
        disable: async (secret, version) => {
          on(`disable ${secret}`);
          const found = this.secrets.get(secret)?.find((one) => one.version === version);
          if (found !== undefined) found.enabled = false;
        },
      },
      proof: {
        covers: ({ kind }) => kind !== 'Unknown',
        accepts: async ({ accountId }, key) => {
          on(`prove ${nameOf(accountId)}`);
          const account = this.accounts.get(accountId);
          const value = key.reveal();
          if (account === undefined) return false;
          if (account.alsoAccepted.has(value)) return true;
          return !account.refused.has(value) && [account.Key1, account.Key2].includes(value);
        },
      },
      pauses: { all: async () => this.pauses },
      plans: {
        lookedAtMs: async () => {
          this.before('looked at');
          return new Map([...this.plans.values()].map(({ account, asOf }) => [account, Date.parse(asOf)]));
        },
        write: async (rows) => {
          this.before('plans');
          for (const row of rows) this.plans.set(row.account, row);
        },
      },
      store: {
        all: async () => {
          on('query rows');
          return new Map(this.rows);
        },
        read: async (account) => this.rows.get(account),
        write: async ({ etag, ...row }) => {
          on(`row ${row.account.split(':').at(-1)} ${row.state.work?.phase.name ?? 'steady'}`);
          const stored = this.rows.get(row.account);
          if ((typeof stored === 'object' ? stored.etag : undefined) !== etag) return 'moved';
          const written = this.newEtag();
          this.rows.set(row.account, { ...row, etag: written });
          return { etag: written };
        },
        record: async (entry) => {
          on('history');
          const at = this.history.findIndex(
            ({ fence, account }) => fence === entry.fence && account === entry.account,
          );
          this.history.splice(at === -1 ? this.history.length : at, at === -1 ? 0 : 1, entry);
        },
      },
      published: {
        all: async () => new Map(this.published),
        read: async (account) => this.published.get(account),
        repair: async (row) => {
          on('publish');
          if (this.published.get(row.account) !== 'unreadable') return 'moved';
          const etag = this.newEtag();
          this.published.set(row.account, { ...row, etag });
          return { etag };
        },
        remove: async (account) => {
          this.published.delete(account);
        },
        write: async ({ etag, ...row }) => {
          on('publish');
          const stored = this.published.get(row.account);
          if ((typeof stored === 'object' ? stored.etag : undefined) !== etag) return 'moved';
          const written = this.newEtag();
          this.published.set(row.account, { ...row, etag: written });
          return { etag: written };
        },
      },
      ledger: {
        declare: async () => undefined,
        latestExpiryMs: async (account, slot: Slot) => {
          on(`ledger ${slot}`);
          return this.ledger.get(`${account.split(':').at(-1)} ${slot}`) ?? 0;
        },
      },
      head: {
        bump: async () => {
          on('bump');
          this.bumps += 1;
        },
      },
      clock: () => this.nowMs,
      elapsedMs: () => performance.now(),
      within: (_step, _resource, work) => work(),
      log: (event, fields) => this.logged.push(`${event} ${JSON.stringify(fields ?? {})}`),
    };
  }
}

export const outage = (): never => {
  throw new UpstreamFailure('arm', 'test: down', 503);
};

export function accountOf(name: string): string {
  return `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/test/providers/Microsoft.CognitiveServices/accounts/${name}`;
}
/** The key of its account in the tables. */
export function keyOf(name: string): string {
  return accountKey(accountOf(name));
}
function nameOf(accountId: string): string {
  return accountId.split('/').at(-1) ?? '';
}

export function resourceNamed(
  name: string,
  rotation: Partial<Rotation> = {},
  kind = 'SpeechServices',
): Resource {
  return {
    name,
    accountId: accountOf(name),
    kind,
    region: 'westeurope',
    endpoint: `https://${name}.invalid`,
    tokenKinds: ['sts'],
    identity: { kind: 'application' },
    scope: 'https://cognitiveservices.azure.com/.default',
    secret: `${name}-key`,
    rotation: {
      keysSince: START_MS,
      period: 30 * 86_400_000,
      mode: 'full',
      paused: false,
      consumers: [],
      ...rotation,
    },
  };
}
