/**
 * What Key Vault tells Event Grid about a secret, in the Event Grid schema: member names in Pascal case, NBF
 * and EXP as numbers or null. https://learn.microsoft.com/azure/event-grid/event-schema-key-vault
 */
import { randomUUID } from 'node:crypto';
import type { EventGridEvent } from './accounts-events.ts';
import { latest, type SecretStore, type SecretVersion } from './keyvault-store.ts';

export interface VaultName {
  /** The vault's ARM id. */
  readonly vaultId: string;
  /** Without a slash at the end. */
  url(): string;
}

type VaultEvent = 'SecretNewVersionCreated' | 'SecretNearExpiry' | 'SecretExpired';

export function vaultEvent(
  vault: VaultName,
  type: VaultEvent,
  name: string,
  version: SecretVersion,
  atMs: number,
): EventGridEvent {
  return {
    id: randomUUID(),
    topic: vault.vaultId,
    subject: name,
    eventType: `Microsoft.KeyVault.${type}`,
    eventTime: new Date(atMs).toISOString().replace('Z', '0000Z'),
    data: {
      Id: `${vault.url()}/secrets/${name}/${version.id}`,
      VaultName: vault.vaultId.split('/').at(-1),
      ObjectType: 'Secret',
      ObjectName: name,
      Version: version.id,
      NBF: version.nbf ?? null,
      EXP: version.exp ?? null,
    },
    dataVersion: '1',
    metadataVersion: '1',
  };
}

/** Fixed by Azure. A version set with less left is announced at once. */
const nearExpirySeconds = 30 * 86_400;

/** The expiry events that are due, of current versions only, each once. */
export function announceExpiries(
  vault: VaultName,
  store: SecretStore,
  nowMs: number,
  publish: (event: EventGridEvent) => void,
): void {
  const nowSeconds = nowMs / 1000;
  for (const [name, secret] of store.entries()) {
    const version = latest(secret);
    if (version.exp === undefined || !version.enabled || secret.deletedAt !== undefined) continue;
    const due =
      nowSeconds >= version.exp
        ? 'expired'
        : nowSeconds >= version.exp - nearExpirySeconds
          ? 'nearExpiry'
          : undefined;
    if (due === undefined || due === version.announced || version.announced === 'expired') continue;
    publish(
      vaultEvent(vault, due === 'expired' ? 'SecretExpired' : 'SecretNearExpiry', name, version, nowMs),
    );
    // After the event, so that a kill in between repeats it: Event Grid delivers at least once.
    store.change(name, version.id, { announced: due });
  }
}
