/** The cloud as the rotation and the exchange see it, through the wire. */
import type { Policy } from '../../src/policy/schema.ts';
import type { Accounts, Head, MintLedger, SharedState, Slot, Sts, Vault, VaultKey } from '../../src/ports.ts';
import type { KeyProof, RotationStore } from '../../src/rotation/ports.ts';
import type { StoredRow } from '../../src/rotation/state.ts';
import { Secret } from '../../src/secret.ts';
import type { Cloud, Version } from './cloud.ts';
import type { Timeline } from './timeline.ts';
import type { Process, Wire } from './wire.ts';

type Resource = Policy['resources'][number];

export interface Way {
  readonly cloud: Cloud;
  readonly wire: Wire;
  readonly timeline: Timeline;
  readonly process: Process;
  /** Told of every change that a driver makes outside, before it is made. */
  readonly onChange: (
    process: Process,
    change: 'write' | 'regenerate' | 'disable',
    isLate: boolean,
    key?: Slot | Secret,
  ) => void;
  /** Told of every text that is kept or printed. */
  readonly onText: (text: string) => void;
  /** Told of every row before it is written. */
  readonly onRow: (row: StoredRow) => void;
}

export function vaultOver({ cloud, wire, timeline, process, onChange }: Way): Vault {
  const shown = (version: Version | undefined): VaultKey | 'absent' | 'disabled' => {
    if (version === undefined) return 'absent';
    if (!version.enabled) return 'disabled';
    const { value, tags, ...rest } = version;
    return { ...rest, tags: { ...tags }, value: new Secret(value), expiresAtMs: undefined };
  };
  return {
    current: () =>
      wire.call(process, 'keyvault', 'getSecret', () =>
        shown(cloud.currentVersion(process.readsLateMs, timeline.now())),
      ),
    read: (_, version) =>
      wire.call(process, 'keyvault', 'getSecret', () =>
        shown(cloud.versionNamed(version, process.readsLateMs, timeline.now())),
      ),
    versions: () =>
      wire.call(process, 'keyvault', 'listVersions', () =>
        cloud.versions.map(({ value: _, ...rest }) => ({ ...rest, expiresAtMs: undefined })),
      ),
    write: (_, value, tags) =>
      wire.call(
        process,
        'keyvault',
        'setSecret',
        (isLate) => {
          onChange(process, 'write', isLate, value);
          return cloud.addVersion(value.reveal(), tags, timeline.now());
        },
        true,
      ),
    disable: (_, version) =>
      wire.call(
        process,
        'keyvault',
        'disable',
        (isLate) => {
          onChange(process, 'disable', isLate);
          const found = cloud.versions.find((one) => one.version === version);
          if (found !== undefined) found.enabled = false;
        },
        true,
      ),
  };
}

export function accountsOver({ cloud, wire, timeline, process, onChange }: Way): Accounts {
  const keys = () => ({
    Key1: new Secret(cloud.current.Key1.value),
    Key2: new Secret(cloud.current.Key2.value),
  });
  return {
    listKeys: () => wire.call(process, 'arm', 'listKeys', () => (cloud.roleIsGone ? 'forbidden' : keys())),
    regenerate: (_, slot) =>
      wire.call(
        process,
        'arm',
        'regenerateKey',
        (isLate) => {
          if (cloud.roleIsGone) return 'forbidden';
          onChange(process, 'regenerate', isLate, slot);
          const old = cloud.regenerate(slot, timeline.now());
          if (old.goneMs > timeline.now()) wire.count('old key lags');
          if (cloud.current[slot].acceptedByAllMs > timeline.now()) wire.count('new key lags');
          return keys();
        },
        true,
      ),
  };
}

export function proofOver({ cloud, wire, timeline, process }: Way): KeyProof {
  return {
    covers: () => true,
    accepts: (_: Resource, key) =>
      wire.call(process, 'sts', 'prove', () => cloud.accepts(key.reveal(), timeline.now())),
  };
}

/** @param clockIsOffMs the service's own clock against true time */
export function stsOver({ cloud, wire, timeline, process }: Way, clockIsOffMs: number): Sts {
  let bought = 0;
  return {
    issue: (_, key) =>
      wire.call(process, 'sts', 'issueToken', () => {
        if (!cloud.accepts(key.reveal(), timeline.now())) return 'keyRefused';
        bought += 1;
        // The token names its key, so that using it can be judged.
        const token = new Secret(`${key.reveal()} ${timeline.now() + 600_000} ${process.name} ${bought}`);
        return { token, expiresAtMs: timeline.now() + clockIsOffMs + 600_000 };
      }),
  };
}

export function storeOver({ cloud, wire, process, onText, onRow }: Way): RotationStore {
  return {
    all: () =>
      wire.call(process, 'tables', 'read rows', () => {
        return new Map(cloud.rows);
      }),
    read: (account) => wire.call(process, 'tables', 'read row', () => cloud.rows.get(account)),
    remove: (account) =>
      wire.call(process, 'tables', 'remove row', () => void cloud.rows.delete(account), true),
    write: (row) =>
      wire.call(
        process,
        'tables',
        'write row',
        () => {
          onText(JSON.stringify(row));
          onRow(row);
          return cloud.writeRow(row);
        },
        true,
      ),
    record: (entry) =>
      wire.call(
        process,
        'tables',
        'record step',
        () => {
          onText(JSON.stringify(entry));
          cloud.history.set(`${entry.account} ${entry.fence}`, entry);
        },
        true,
      ),
    history: async () => [...cloud.history.values()],
  };
}

export function ledgerOver({ cloud, wire, process }: Way): MintLedger {
  return {
    declare: (account, slot, instance, expiresAtMs) =>
      wire.call(
        process,
        'tables',
        'declare mint',
        () => {
          const row = `${account} ${slot} ${instance}`;
          cloud.ledger.set(row, Math.max(cloud.ledger.get(row) ?? 0, expiresAtMs));
        },
        true,
      ),
    latestExpiryMs: (account, slot) =>
      wire.call(process, 'tables', 'read ledger', () => {
        let latest = 0;
        for (const [row, expiresAtMs] of cloud.ledger) {
          if (row.startsWith(`${account} ${slot} `)) latest = Math.max(latest, expiresAtMs);
        }
        return latest;
      }),
  };
}

export function stateOver({ cloud, wire, process }: Way): SharedState & Head {
  const version = () => wire.call(process, 'tables', 'read head', () => String(cloud.head));
  return {
    version,
    load: async () => {
      const asOf = await version();
      return wire.call(process, 'tables', 'load state', () => {
        const slots = new Map();
        for (const [account, { state }] of cloud.rows) {
          const { active: slot, secret, secretVersion: version } = state;
          slots.set(account, { ...state, current: version === '' ? undefined : { slot, secret, version } });
        }
        return { version: asOf, revocations: new Map(), slots };
      });
    },
    bump: () =>
      wire.call(
        process,
        'tables',
        'bump head',
        () => {
          cloud.head += 1;
        },
        true,
      ),
  };
}
