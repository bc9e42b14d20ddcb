/**
 * Reads the state row of a target. Older versions kept the row under the resource's name in the policy. Such a row
 * is moved to the account's key before its first step, so that a resource can be renamed.
 */
import { MAX_DECLARED_LIFE_MS } from '../facts/sts.ts';
import { UpstreamFailure } from '../upstream.ts';
import type { RotationPorts, Rows, Target } from './ports.ts';
import { type StoredRow, unseen } from './state.ts';

/** The target's row among those of `store.all()`, under the account's key or the old one; undefined: there is none. */
export function rowIn(rows: Rows, { account, name }: Target): StoredRow | 'unreadable' | undefined {
  return rows.get(account) ?? rows.get(name);
}

/** @throws UpstreamFailure, also when the row cannot be parsed */
export async function readRow({ store, clock }: RotationPorts, target: Target): Promise<StoredRow> {
  const { account, name } = target;
  const row = (await store.read(account)) ?? (await store.read(name)) ?? unseen(account, clock());
  return readable(row, target);
}

/**
 * Moves a row from the resource's name to the account's key; any other row is returned as it is. To be called before
 * a step. If a driver dies between the two writes, both rows stay, and the next tick removes the old one (rotate.ts).
 * @throws UpstreamFailure, also when the row cannot be parsed or another driver moves it at the same time
 */
export async function settleRow(
  ports: RotationPorts,
  target: Target,
  row: StoredRow | 'unreadable' | undefined,
): Promise<StoredRow> {
  const found = readable(row ?? unseen(target.account, ports.clock()), target);
  if (found.account === target.account) return found;
  const { state } = found;
  const carried: StoredRow = {
    ...found,
    account: target.account,
    etag: undefined,
    state: {
      ...state,
      // In such rows `rotatedAtMs` may be the time of the adoption, so it says nothing about the age of the keys.
      adoptedAtMs: ports.clock(),
      rotatedAtMs: undefined,
      bornAtMs: {},
      secret: state.secretVersion === '' ? '' : target.secret,
      // Tokens bought until now are in the mint ledger under the resource's name, where no drain looks any more.
      suspectUntilMs: Math.max(state.suspectUntilMs, ports.clock() + MAX_DECLARED_LIFE_MS),
    },
  };
  const written = await ports.store.write(carried);
  if (written === 'moved')
    throw new UpstreamFailure('tables', `another driver carries over the row of ${target.name}`, 0, 5);
  await ports.store.remove(target.name);
  return { ...carried, etag: written.etag };
}

function readable(row: StoredRow | 'unreadable', { name }: Target): StoredRow {
  if (row === 'unreadable') throw new UpstreamFailure('tables', `the rotation row of ${name} cannot be read`);
  return row;
}
