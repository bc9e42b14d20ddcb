/** Collects what a tick needs to decide: the account's two keys, the vault's current version, and the mint ledger. */
import type { AccountKeys, AccountRefusal, Slot } from '../ports.ts';
import type { Secret } from '../secret.ts';
import { UpstreamFailure } from '../upstream.ts';
import type { RotationPorts, Target } from './ports.ts';
import { publish } from './publish.ts';
import type { Evidence, RotationState } from './state.ts';

export interface Sight {
  readonly evidence: Evidence;
  /** The keys themselves, for the step that publishes or tries them. */
  readonly keys: AccountKeys | AccountRefusal;
}

/** @throws UpstreamFailure when ARM, the vault or the ledger cannot be read; then no step is decided */
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
 * Whoever buys a token declares it first and reads the head row after that (exchange/mint.ts). Here it is the other way
 * round: the row already says `retiring`, then it is published and the head row bumped, then the ledger is read. So a
 * buyer either sees that and does not buy, or its declaration is in the ledger. No clock is needed for that. Both are
 * repeated in each tick, because the driver that wrote the row may have crashed before.
 */
async function lastExpiryMs(ports: RotationPorts, account: string, slot: Slot): Promise<number> {
  await publish(ports, account);
  return ports.ledger.latestExpiryMs(account, slot);
}

async function seeVault(ports: RotationPorts, secret: string): Promise<Evidence['vault']> {
  try {
    const current = await ports.vault.current(secret);
    if (typeof current === 'string') return current;
    return { secret, version: current.version, fingerprint: fingerprint(current.value), tags: current.tags };
  } catch (error) {
    // A removed role is a state that people must see and repair, so it is returned and stored, not thrown.
    if (error instanceof UpstreamFailure && (error.status === 401 || error.status === 403))
      return 'forbidden';
    throw error;
  }
}

/** The first 16 hexadecimal digits of the key's SHA-256. Tags, rows and the history name a key by it. */
export function fingerprint(key: Secret): string {
  return key.sha256.slice(0, 16);
}
