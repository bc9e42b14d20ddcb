/**
 * The mint ledger against the retiring mark: two instances buy key-exchange (STS) tokens with `mint.ts` behind
 * `freshness.ts`, while the rotator retires the slot with `advance.ts` and an operator asks for the other one.
 * A token that was handed out and lives when its slot is regenerated is what must not be.
 */

import { accountKey, slotsOf } from '../../src/account-key.ts';
import { createFreshness } from '../../src/exchange/freshness.ts';
import { mint } from '../../src/exchange/mint.ts';
import { STS_LIFE_MS } from '../../src/facts/sts.ts';
import type { Slot, SlotState, Snapshot } from '../../src/ports.ts';
import { advance, writeDown } from '../../src/rotation/advance.ts';
import { alsoRetire } from '../../src/rotation/begin.ts';
import { isHeld, take } from '../../src/rotation/lease.ts';
import { fingerprint } from '../../src/rotation/observe.ts';
import type { RotationPorts, Target } from '../../src/rotation/ports.ts';
import { shownRow } from '../../src/rotation/publish.ts';
import { type PublishedRow, type RotationState, type StoredRow, unseen } from '../../src/rotation/state.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { inForce } from '../policy/rules.ts';
import { policy, START_MS } from '../revocation/fakes.ts';
import type { Ask, Call, Script } from './actor.ts';
import type { Model } from './explore.ts';

const rules = inForce(policy);

export type MintMutation =
  | 'no second look at the slots'
  | 'no bump before the ledger is read'
  | 'no publication before the ledger is read';

export interface MintWorld {
  readonly nowMs: number;
  /** The instances for which the head has moved since they loaded what is behind it. */
  readonly moved: readonly string[];
  readonly row: StoredRow;
  /** The copy of it that the instances read. */
  readonly shown: PublishedRow;
  /** Latest expiries by slot: nobody asks whose they are. */
  readonly ledger: Readonly<Record<string, number>>;
  /** Of the secret, the newest last. */
  readonly versions: readonly { readonly key: string; readonly tags: Readonly<Record<string, string>> }[];
  readonly keys: Readonly<Record<Slot, string>>;
  /** The regenerations, each with the tokens that lived then. */
  readonly regenerated: readonly { readonly key: string; readonly living: number }[];
  readonly handedOut: readonly { readonly key: string; readonly expiresAtMs: number }[];
  /** Until time passes the next tick sees nothing else. */
  readonly rotatorWaits: boolean;
  readonly ticksLeft: number;
}

/** Of one purchase, so that the search ends: another one begins as the first does, with what was seen before. */
const MAX_ROUNDS = 1;
const resource = policy.resources.find(({ name }) => name === 'speech') ?? policy.resources[0];
if (resource?.rotation === undefined || resource.secret === undefined) throw new Error('no rotated resource');
const account = accountKey(resource.accountId);
const target: Target = {
  name: 'speech',
  account,
  resource,
  secret: resource.secret,
  rotation: resource.rotation,
};
const mark = (key: string): string => fingerprint(new Secret(key));

function begin(): MintWorld {
  const fresh = unseen(account, START_MS);
  const proof = { fingerprint: mark('key-2'), firstMs: START_MS - 120_000, lastMs: START_MS };
  const state: RotationState = {
    ...fresh.state,
    generation: 1,
    secret: target.secret,
    secretVersion: '0',
    work: {
      slot: 'Key1',
      emergency: false,
      phase: { name: 'promoting', proof },
      queue: [],
      reason: 'scheduled',
      completes: true,
      startedAtMs: START_MS,
      phaseAtMs: START_MS,
      attempts: 0,
      notBeforeMs: 0,
    },
  };
  const tags = tagsOf('Key1', 'key-1', 1);
  const row: StoredRow = { ...fresh, state, etag: '0' };
  return {
    nowMs: START_MS,
    moved: [],
    row,
    shown: { ...shownRow(row, undefined), etag: '0' },
    ledger: {},
    versions: [{ key: 'key-1', tags }],
    keys: { Key1: 'key-1', Key2: 'key-2' },
    regenerated: [],
    handedOut: [],
    rotatorWaits: false,
    ticksLeft: 1,
  };
}
function tagsOf(slot: Slot, key: string, generation: number): Record<string, string> {
  const { accountId } = target.resource;
  return { account: accountId, slot, fingerprint: mark(key), generation: String(generation), fence: '0' };
}

// --- the processes --------------------------------------------------------------------------------------

/** It has looked at the head before, as an instance that serves has. */
const instance =
  (name: string, mutation: MintMutation | undefined): Script =>
  async (ask, clock) => {
    let versions = 0;
    let at = ' first';
    const freshness = createFreshness(
      {
        version: async () => {
          if (await ask<boolean>(`read head${at}`)) versions += 1;
          return String(versions);
        },
        load: async (): Promise<Snapshot> => {
          const slots = await ask<SlotState>(`load${at}`);
          return {
            version: String(versions),
            revocations: new Map(),
            slots: new Map([[account, slots]]),
            policy: undefined,
          };
        },
      },
      // What is granted is not the question here.
      async () => rules,
      clock,
      0,
    );
    await freshness.now();
    at = '';
    let rounds = 0;
    let looks = 0;
    let last: SlotState | undefined;
    const minted = await mint(
      {
        vault: {
          current: () => Promise.reject(new Error('the row names a version')),
          read: async (_secret, version) => {
            rounds += 1;
            if (rounds > MAX_ROUNDS) throw new UpstreamFailure('keyvault', 'is down');
            const key = await ask<string>('read version', version);
            return {
              version,
              value: new Secret(key),
              tags: {},
              enabled: true,
              createdAtMs: 0,
              expiresAtMs: undefined,
            };
          },
        },
        sts: {
          issue: async (_host, key) => {
            const issued = await ask<string | number>('issueToken', key.reveal());
            return typeof issued === 'string'
              ? 'keyRefused'
              : { token: new Secret(key.reveal()), expiresAtMs: issued };
          },
        },
        ledger: {
          declare: (_account, slot, _instance, expiresAtMs) => ask('declare', slot, expiresAtMs),
          latestExpiryMs: () => Promise.reject(new Error('no instance reads it')),
        },
        slotsNow: async () => {
          looks += 1;
          if (mutation === 'no second look at the slots' && looks % 2 === 0) return last;
          last = slotsOf((await freshness.now()).slots, target.resource);
          return last;
        },
        clock,
        sleep: () => ask('sleep'),
        instance: name,
      },
      target.resource,
      target.resource.endpoint,
    );
    await ask('hand out', minted.token.reveal(), minted.expiresAtMs);
  };

function rotationPorts(ask: Ask, clock: () => number, bump: () => Promise<void>): RotationPorts {
  const keyed = ({ Key1, Key2 }: Record<Slot, string>) => ({
    Key1: new Secret(Key1),
    Key2: new Secret(Key2),
  });
  const shown = ({ version, key, tags }: { version: string; key: string; tags: Record<string, string> }) => ({
    version,
    value: new Secret(key),
    tags,
    enabled: true,
    createdAtMs: 0,
    expiresAtMs: undefined,
  });
  const never = (): Promise<never> => Promise.reject(new Error('not in this model'));
  return {
    accounts: {
      listKeys: async () => keyed(await ask('listKeys')),
      regenerate: async (_id, slot) => keyed(await ask('regenerate', slot)),
    },
    vault: {
      current: async () => shown(await ask('read secret')),
      write: async (_secret, value, tags) => ({
        version: await ask<string>('write secret', value.reveal(), JSON.stringify(tags)),
      }),
      read: never,
      versions: never,
      disable: never,
    },
    proof: { covers: () => true, accepts: never },
    plans: { lookedAtMs: async () => new Map(), write: async () => undefined },
    pauses: { all: async () => new Map() },
    store: {
      read: () => ask('read row'),
      write: async (row) => {
        const etag = await ask<string>('write row', JSON.stringify(row));
        return etag === 'moved' ? 'moved' : { etag };
      },
      record: async () => undefined,
      all: never,
    },
    published: {
      read: () => ask('read published'),
      write: async (row) => {
        const etag = await ask<string>('publish', JSON.stringify(row));
        return etag === 'moved' ? 'moved' : { etag };
      },
      all: never,
      repair: never,
      remove: never,
    },
    ledger: { declare: never, latestExpiryMs: (_account, slot) => ask('read ledger', slot) },
    head: { bump },
    clock,
    elapsedMs: () => 0,
    within: (_step, _resource, work) => work(),
    log: () => undefined,
  };
}

const rotator =
  (mutation: MintMutation | undefined): Script =>
  async (ask, clock) => {
    const row = await ask<StoredRow>('read row');
    const isDraining = row.state.work?.phase.name === 'draining';
    const leavesOut = (what: MintMutation): boolean => isDraining && mutation === what;
    const isUnbumped = leavesOut('no bump before the ledger is read');
    const bump = () => (isUnbumped ? Promise.resolve() : ask<void>('bump'));
    const ports = rotationPorts(ask, clock, bump);
    const unpublished = { ...ports.published, write: async () => ({ etag: 'nothing was written' }) };
    const done = await advance(
      leavesOut('no publication before the ledger is read') ? { ...ports, published: unpublished } : ports,
      target,
      row,
      `driver after ${row.lease.fence}`,
    );
    await ask('tick ends', done.did);
  };

/** As `retireNow` in demand.ts does while a rotation is under way: the other slot comes after this one. */
const operator: Script = async (ask, clock) => {
  const row = await ask<StoredRow>('read row');
  if (isHeld(row.lease, clock())) return;
  const leased = { ...row, lease: take(row.lease, 'operator', clock()) };
  const ports = rotationPorts(ask, clock, () => ask('bump'));
  await writeDown(ports, target.name, leased, row.state, alsoRetire(row.state, 'Key2', clock()), 'by hand');
};

// --- what their calls do --------------------------------------------------------------------------------

function apply(
  world: MintWorld,
  process: string,
  { name, args }: Call,
): { world: MintWorld; value: unknown } {
  const [first, second] = args;
  const same = (value: unknown) => ({ world, value });
  const text = String(first);
  switch (name) {
    case 'read head':
    case 'read head first':
      return same(world.moved.includes(process));
    case 'bump':
      return { world: { ...world, moved: ['first', 'second'] }, value: null };
    // The adapter reads the head before the rows, so what moves in between shows as moved: as if at once.
    case 'load':
    case 'load first': {
      const { generation, retiring, epoch, active, secret, secretVersion } = world.shown.state;
      const slots = {
        generation,
        retiring,
        epoch,
        current: { slot: active, secret, version: secretVersion },
      };
      return { world: { ...world, moved: world.moved.filter((one) => one !== process) }, value: slots };
    }
    case 'read version':
      return same(world.versions[Number(first)]?.key);
    case 'declare': {
      const latest = Math.max(world.ledger[text] ?? 0, Number(second));
      return { world: { ...world, ledger: { ...world.ledger, [text]: latest } }, value: null };
    }
    case 'read ledger':
      return same(world.ledger[text] ?? 0);
    case 'issueToken':
      // The gateway forgets a regenerated key late, so it still buys a token.
      return same(world.nowMs + STS_LIFE_MS);
    case 'hand out': {
      const token = { key: text, expiresAtMs: Number(second) };
      return { world: { ...world, handedOut: [...world.handedOut, token] }, value: null };
    }
    case 'listKeys':
      return same(world.keys);
    case 'regenerate': {
      const slot = text === 'Key1' ? 'Key1' : 'Key2';
      const key = world.keys[slot];
      const living = livingWith(world, key);
      const keys = { ...world.keys, [slot]: `${key}-new` };
      return { world: { ...world, keys, regenerated: [...world.regenerated, { key, living }] }, value: keys };
    }
    case 'read secret':
      return same({ ...world.versions.at(-1), version: String(world.versions.length - 1) });
    case 'write secret': {
      const versions = [...world.versions, { key: text, tags: JSON.parse(String(second)) }];
      return { world: { ...world, versions }, value: String(versions.length - 1) };
    }
    case 'read row':
      return same(world.row);
    case 'write row': {
      const row = JSON.parse(text) as StoredRow;
      if (row.etag !== world.row.etag) return same('moved');
      const etag = String(Number(world.row.etag) + 1);
      // For people, and told apart by the time only.
      const { last: _, ...rest } = row;
      return { world: { ...world, row: { ...rest, last: undefined, etag } }, value: etag };
    }
    case 'read published':
      return same(world.shown);
    case 'publish': {
      const row = JSON.parse(text) as PublishedRow;
      if (row.etag !== world.shown.etag) return same('moved');
      const etag = String(Number(world.shown.etag) + 1);
      const { last: _, ...rest } = row;
      return { world: { ...world, shown: { ...rest, last: undefined, etag } }, value: etag };
    }
    case 'tick ends':
      return {
        world: { ...world, rotatorWaits: text === 'wait' || text === 'busy' || text === 'lost' },
        value: null,
      };
    case 'sleep':
      return same(null);
    default:
      throw new Error(`the model does not know ${name}`);
  }
}

function livingWith({ handedOut, nowMs }: MintWorld, key: string): number {
  return handedOut.filter((token) => token.key === key && token.expiresAtMs > nowMs).length;
}

/** Only the rotator changes keys and writes versions, and a token is handed out where it is bought. */
const PRIVATE = [
  'read head first',
  'load first',
  'listKeys',
  'read secret',
  'hand out',
  'tick ends',
  'sleep',
];
/** A version never changes and a token depends on nothing else, but the buyer looks at its clock afterwards. */
const TIMED = ['read version', 'issueToken'];

/** Passes at once, between two ticks: less than after which an instance reads everything anew, so that only the head tells it. */
const PASSES_MS = 1_000;

/** Beside one instance and the rotator: with both at once the search takes minutes. */
export type Third = 'another instance' | 'an operator';

export function mintModel(third: Third, mutation?: MintMutation): Model<MintWorld> {
  return {
    world: begin(),
    processes: {
      first: instance('first', mutation),
      ...(third === 'an operator' ? { operator } : { second: instance('second', mutation) }),
      rotator: rotator(mutation),
    },
    apply,
    isPrivate: ({ name }, { ticksLeft }) =>
      PRIVATE.includes(name) || (TIMED.includes(name) && ticksLeft === 0),
    beginsAgain: (process, { rotatorWaits, regenerated }) =>
      process === 'rotator' && !rotatorWaits && regenerated.length === 0,
    later: (world) =>
      world.ticksLeft === 0 || !world.rotatorWaits
        ? []
        : [{ ...world, nowMs: world.nowMs + PASSES_MS, ticksLeft: world.ticksLeft - 1, rotatorWaits: false }],
    violation(world) {
      const early = world.regenerated.some(({ living }) => living > 0);
      if (early) return 'a slot was regenerated while a token bought with it lived';
      return world.regenerated.some(({ key }) => livingWith(world, key) > 0)
        ? 'a token that was bought with a key lives after the key was regenerated'
        : undefined;
    },
  };
}
