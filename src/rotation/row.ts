/**
 * The row of a target. Rows once stood under the resource's name in the policy; such a row is carried over to the
 * account's key when it is first needed, on condition that no other instance has done so.
 */

import { MAX_DECLARED_LIFE_MS } from '../facts/sts.ts';
import { UpstreamFailure } from '../upstream.ts';
import type { RotationPorts, Rows, Target } from './ports.ts';
import { type StoredRow, unseen } from './state.ts';

/** As it stands in an answer to `store.all()`, under either key. */
export function rowIn(rows: Rows, { account, name }: Target): StoredRow | 'unreadable' | undefined {
  return rows.get(account) ?? rows.get(name);
}

/** @throws UpstreamFailure, also when the row cannot be read or is being carried over by another driver */
export async function readRow({ store, clock }: RotationPorts, target: Target): Promise<StoredRow> {
  const { account, name } = target;
  const row = (await store.read(account)) ?? (await store.read(name)) ?? unseen(account, clock());
  return readable(row, target);
}

/** To be called before a step is made: what stands under the name is put under the account. */
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
      // Such rows called the adoption a rotation, so what they say of the keys' age is not known to be true.
      adoptedAtMs: ports.clock(),
      rotatedAtMs: undefined,
      bornAtMs: {},
      secret: state.secretVersion === '' ? '' : target.secret,
      // Tokens bought before stand in the mint ledger under the name, which nobody reads any more.
      suspectUntilMs: Math.max(state.suspectUntilMs, ports.clock() + MAX_DECLARED_LIFE_MS),
    },
  };
  const etag = await ports.store.write(carried);
  if (etag === 'moved')
    throw new UpstreamFailure('tables', `another driver carries over the row of ${target.name}`, 0, 5);
  await ports.store.remove(target.name);
  return { ...carried, etag };
}

function readable(row: StoredRow | 'unreadable', { name }: Target): StoredRow {
  if (row === 'unreadable') throw new UpstreamFailure('tables', `the rotation row of ${name} cannot be read`);
  return row;
}
