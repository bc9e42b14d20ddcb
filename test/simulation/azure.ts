/** The vault and the accounts as the rotation and the exchange see them, through the wire. */
import type { Accounts, Slot, Sts, Vault, VaultKey } from '../../src/ports.ts';
import type { KeyProof } from '../../src/rotation/ports.ts';
import { Secret } from '../../src/secret.ts';
import type { Account, Key } from './account.ts';
import type { Cloud } from './cloud.ts';
import type { Process } from './process.ts';
import type { Version } from './secrets.ts';
import type { Timeline } from './timeline.ts';
import type { Wire } from './wire.ts';

/** A change that a driver makes outside. `isLate`: the driver has given up waiting for it. */
export type Change =
  | { readonly kind: 'write'; readonly secret: string; readonly value: Secret }
  | { readonly kind: 'disable'; readonly secret: string }
  | { readonly kind: 'regenerate'; readonly account: Account; readonly slot: Slot };

export interface Way {
  readonly cloud: Cloud;
  readonly wire: Wire;
  readonly timeline: Timeline;
  readonly process: Process;
  /** Told of every change before it is made. */
  readonly onChange: (process: Process, change: Change, isLate: boolean) => void;
  /** Told of every token that the service issues. */
  readonly onIssued: (token: Secret, key: Key, expiresAtMs: number) => void;
}

export function vaultOver({ cloud, wire, timeline, process, onChange }: Way): Vault {
  const { secrets } = cloud;
  const seen = (secret: string) => secrets.versions(secret, timeline.now(), process.readsLateMs);
  const shown = (version: Version | undefined): VaultKey | 'absent' | 'disabled' => {
    if (version === undefined) return 'absent';
    if (!version.enabled) return 'disabled';
    const { secret: value, tags, version: id, enabled, createdAtMs } = version;
    return { version: id, enabled, createdAtMs, tags: { ...tags }, value, expiresAtMs: undefined };
  };
  return {
    current: (secret) => wire.call(process, 'keyvault', 'getSecret', () => shown(seen(secret).at(-1))),
    read: (secret, version) =>
      wire.call(process, 'keyvault', 'getSecret', () =>
        shown(seen(secret).find((one) => one.version === version)),
      ),
    versions: (secret) =>
      wire.call(process, 'keyvault', 'listVersions', () =>
        secrets.versions(secret).map(({ version, enabled, createdAtMs, tags }) => ({
          version,
          enabled,
          createdAtMs,
          tags,
          expiresAtMs: undefined,
        })),
      ),
    write: (secret, value, tags) =>
      wire.call(
        process,
        'keyvault',
        'setSecret',
        (isLate) => {
          onChange(process, { kind: 'write', secret, value }, isLate);
          return secrets.add(secret, value.reveal(), tags, timeline.now());
        },
        true,
      ),
    disable: (secret, version) =>
      wire.call(
        process,
        'keyvault',
        'disable',
        (isLate) => {
          onChange(process, { kind: 'disable', secret }, isLate);
          secrets.disable(secret, version);
        },
        true,
      ),
  };
}

export function accountsOver({ cloud, wire, timeline, process, onChange }: Way): Accounts {
  return {
    listKeys: (id) =>
      wire.call(process, 'arm', 'listKeys', () =>
        cloud.roleIsGone ? 'forbidden' : cloud.account(id).listed(),
      ),
    regenerate: (id, slot) =>
      wire.call(
        process,
        'arm',
        'regenerateKey',
        (isLate) => {
          const account = cloud.account(id);
          if (cloud.roleIsGone) return 'forbidden';
          if (account.refusal !== undefined) return account.refusal;
          onChange(process, { kind: 'regenerate', account, slot }, isLate);
          const old = account.regenerate(slot, timeline.now());
          if (Math.max(...old.forgottenAtMs) > timeline.now()) wire.count('old key lags');
          if (account.current[slot].acceptedByAllMs > timeline.now()) wire.count('new key lags');
          return account.listed();
        },
        true,
      ),
  };
}

export function proofOver({ cloud, wire, timeline, process }: Way): KeyProof {
  return {
    covers: () => true,
    accepts: ({ accountId }, key) =>
      wire.call(process, 'sts', 'prove', () =>
        cloud.account(accountId).accepts(key.reveal(), timeline.now(), process.gateway),
      ),
  };
}

const STS_LIFE_MS = 600_000;

/** @param clockIsOffMs the service's own clock against true time */
export function stsOver(way: Way, account: (host: string) => Account, clockIsOffMs: number): Sts {
  const { cloud, wire, timeline, process, onIssued } = way;
  let bought = 0;
  return {
    issue: (host, value) =>
      wire.call(process, 'sts', 'issueToken', () => {
        const nowMs = timeline.now();
        const key = cloud.keys.get(value.reveal());
        if (key === undefined || !account(host).accepts(key.value, nowMs, process.gateway))
          return 'keyRefused';
        bought += 1;
        const token = new Secret(`token ${bought} of ${process.name}`);
        onIssued(token, key, nowMs + STS_LIFE_MS);
        return { token, expiresAtMs: nowMs + STS_LIFE_MS + clockIsOffMs };
      }),
  };
}
