/** The tables as the rotation and the exchange see them, through the wire: rows, the mint ledger, the head. */
import { type Demand, type DemandBook, type DemandStore, isFollowed } from '../../src/demand/demand.ts';
import type { Head, MintLedger, SharedState } from '../../src/ports.ts';
import type { PublishedRows, RotationStore } from '../../src/rotation/ports.ts';
import type { PublishedRow, StoredRow } from '../../src/rotation/state.ts';
import type { Way } from './azure.ts';

/** @param onRow told of every row before it is written, and @param onText of every text that is kept */
export function storeOver(
  { cloud, wire, process }: Way,
  onRow: (row: StoredRow) => void,
  onText: (text: string) => void,
): RotationStore {
  return {
    all: () => wire.call(process, 'tables', 'read rows', () => new Map(cloud.rows)),
    read: (account) => wire.call(process, 'tables', 'read row', () => cloud.rows.get(account)),
    write: (row) =>
      wire.call(
        process,
        'tables',
        'write row',
        () => {
          onText(JSON.stringify(row));
          const written = cloud.write(cloud.rows, row.account, row);
          if (written !== 'moved') onRow(row);
          return written;
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
  };
}

/** @param onPublished told of every row before it is written */
export function publishedOver(
  { cloud, wire, process }: Way,
  onPublished: (row: PublishedRow) => void,
): PublishedRows {
  return {
    all: () => wire.call(process, 'tables', 'read published', () => new Map(cloud.published)),
    read: (account) => wire.call(process, 'tables', 'read published', () => cloud.published.get(account)),
    repair: async () => 'moved',
    remove: (account) =>
      wire.call(process, 'tables', 'remove row', () => void cloud.published.delete(account), true),
    write: (row) =>
      wire.call(
        process,
        'tables',
        'publish',
        () => {
          const written = cloud.write(cloud.published, row.account, row);
          if (written !== 'moved') onPublished(row);
          return written;
        },
        true,
      ),
  };
}

export function demandBookOver({ cloud, wire, process }: Way): DemandBook {
  const insert = (demand: Demand, account: string): void => {
    if (!cloud.demands.has(demand.id))
      cloud.demands.set(demand.id, { ...demand, account, takenAtMs: 0, etag: cloud.newEtag() });
  };
  return {
    insert: (demand, account) =>
      wire.call(process, 'tables', 'insert demand', () => insert(demand, account), true),
    find: async (id) => cloud.demands.get(id),
  };
}
export function demandsOver({ cloud, wire, process }: Way): DemandStore {
  return {
    find: (id) => wire.call(process, 'tables', 'read demand', () => cloud.demands.get(id)),
    open: () =>
      wire.call(process, 'tables', 'read demands', () => [...cloud.demands.values()].filter(isFollowed)),
    write: (demand) =>
      wire.call(
        process,
        'tables',
        'write demand',
        () => {
          const written = cloud.write(cloud.demands, demand.id, demand);
          return written === 'moved' ? 'moved' : { ...demand, ...written };
        },
        true,
      ),
    sweep: async () => undefined,
  };
}

export function ledgerOver({ cloud, wire, process }: Way): MintLedger {
  const declared = (account: string, slot: string): number[] => {
    const row = `${account} ${slot}`;
    const there = cloud.ledger.get(row) ?? [];
    cloud.ledger.set(row, there);
    return there;
  };
  return {
    declare: (account, slot, _instance, expiresAtMs) =>
      wire.call(
        process,
        'tables',
        'declare mint',
        () => {
          declared(account, slot).push(expiresAtMs);
        },
        true,
      ),
    latestExpiryMs: (account, slot) =>
      wire.call(process, 'tables', 'read ledger', () => Math.max(0, ...declared(account, slot))),
  };
}

/** @param onBump told when the head row moves: from then on every exchange that begins knows what the rows say */
export function stateOver(
  { cloud, wire, process }: Way,
  onBump: () => void,
  pointer: () => string | undefined = () => undefined,
): SharedState & Head {
  const version = () => wire.call(process, 'tables', 'read head', () => String(cloud.head));
  return {
    version,
    load: async () => {
      const asOf = await version();
      return wire.call(process, 'tables', 'load state', () => {
        const slots = new Map(
          [...cloud.published].map(([account, { state }]) => {
            const { active: slot, secret, secretVersion: version } = state;
            return [account, { ...state, current: version === '' ? undefined : { slot, secret, version } }];
          }),
        );
        return { version: asOf, revocations: new Map(), slots, policy: pointer() };
      });
    },
    bump: () =>
      wire.call(
        process,
        'tables',
        'bump head',
        () => {
          cloud.head += 1;
          onBump();
        },
        true,
      ),
  };
}
