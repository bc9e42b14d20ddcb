/** What a tick looks at before it decides: the account's two keys, the vault's current version, the ledger. */
import type { AccountKeys, AccountRefusal, Slot } from '../ports.ts';
import type { Secret } from '../secret.ts';
import { UpstreamFailure } from '../upstream.ts';
import type { RotationPorts, Target } from './ports.ts';
import type { Evidence, RotationState } from './state.ts';

export interface Sight {
  readonly evidence: Evidence;
  /** The keys themselves, for the one step that needs them. */
  readonly keys: AccountKeys | AccountRefusal;
}

/** @throws UpstreamFailure when either side cannot be seen: then nothing is decided */
export async function observe(ports: RotationPorts, target: Target, state: RotationState): Promise<Sight> {
  const [keys, vault, tokensLiveUntilMs] = await Promise.all([
    ports.accounts.listKeys(target.resource.accountId),
    seeVault(ports, target.secret),
    state.work?.phase.name === 'draining' ? lastExpiryMs(ports, target.account, state.work.slot) : 0,
  ]);
  const nowMs = ports.clock();
  const shown =
    typeof keys === 'string' ? keys : { Key1: fingerprint(keys.Key1), Key2: fingerprint(keys.Key2) };
  return { keys, evidence: { nowMs, keys: shown, vault, tokensLiveUntilMs } };
}

/**
 * Every buyer declares first and looks at the head row then. The row already says `retiring`; after this bump
 * whoever has not declared will see it, and whoever has is in the ledger: no clock is needed for that.
 */
async function lastExpiryMs(ports: RotationPorts, account: string, slot: Slot): Promise<number> {
  await ports.head.bump();
  return ports.ledger.latestExpiryMs(account, slot);
}

async function seeVault(ports: RotationPorts, secret: string): Promise<Evidence['vault']> {
  try {
    const current = await ports.vault.current(secret);
    if (typeof current === 'string') return current;
    return { secret, version: current.version, fingerprint: fingerprint(current.value), tags: current.tags };
  } catch (error) {
    // Lost permissions are a state to show, not an exception every five minutes.
    if (error instanceof UpstreamFailure && (error.status === 401 || error.status === 403))
      return 'forbidden';
    throw error;
  }
}

/** The first 16 hexadecimal digits of the key's SHA-256: names a key wherever the key itself must not stand. */
export function fingerprint(key: Secret): string {
  return key.sha256.slice(0, 16);
}
