import type { TokenCredential } from '@azure/core-auth';
import type { KeyVaultSecret, SecretClient, SecretProperties } from '@azure/keyvault-secrets';
import { isLoopback } from '../loopback.ts';
import type { SecretVersion, VaultKey, VaultReader } from '../ports.ts';
import { Secret } from '../secret.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';

/** Runs one operation of the vault, with deadline and retries. */
export type CallVault = <T>(
  operation: string,
  run: (opened: SecretClient, abortSignal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** The SDK is loaded at the first call. Its own retries are off, because call.ts retries. */
export function openVault(url: string, credential: TokenCredential): CallVault {
  let client: Promise<SecretClient> | undefined;
  const open = async (): Promise<SecretClient> => {
    const { SecretClient } = await import('@azure/keyvault-secrets');
    return new SecretClient(url, credential, {
      retryOptions: { maxRetries: 0 },
      // The SDK checks that the vault's challenge names the vault's domain, which a simulated vault on loopback cannot.
      disableChallengeResourceVerification: isLoopback(new URL(url).hostname),
    });
  };
  const secrets = (): Promise<SecretClient> => {
    if (client === undefined) {
      client = open();
      client.catch(() => {
        client = undefined;
      });
    }
    return client;
  };
  // Loading the SDK may take most of a cold start, so the vault's deadline begins only when it is loaded.
  return async (operation, run) => {
    const opened = await secrets();
    return call('keyvault', operation, (abortSignal) => run(opened, abortSignal));
  };
}

/** Reads secrets. What writes them is in vault-writer.ts, which the issuer app does not have. */
export function createVaultReader(callVault: CallVault): VaultReader {
  const get = (secret: string, version?: string): Promise<VaultKey | 'absent' | 'disabled'> =>
    callVault('getSecret', async (opened, abortSignal) => {
      try {
        const options = version === undefined ? { abortSignal } : { abortSignal, version };
        return asKey(await opened.getSecret(secret, options));
      } catch (error) {
        const { status, inner } = refusal(error);
        if (status === 404) return 'absent';
        if (status === 403 && inner === 'SecretDisabled') return 'disabled';
        throw error;
      }
    });

  return {
    current: (secret) => get(secret),
    read: (secret, version) => get(secret, version),
  };
}

/** Reads the vault's error body, `{"error":{"code","message","innererror":{"code"}}}`; the SDK spells it innerError. */
export function refusal(error: unknown): { status: number | undefined; inner: string | undefined } {
  const { statusCode, details } = error as {
    statusCode?: number;
    details?: { error?: { innerError?: { code?: string } } };
  };
  return { status: statusCode, inner: details?.error?.innerError?.code };
}

function asKey({ value, properties }: KeyVaultSecret): VaultKey {
  if (typeof value !== 'string') throw new UpstreamFailure('keyvault', 'getSecret: no value in the answer');
  return { ...asVersion(properties), value: new Secret(value) };
}

export function asVersion({ version, enabled, createdOn, expiresOn, tags }: SecretProperties): SecretVersion {
  if (typeof version !== 'string') throw new UpstreamFailure('keyvault', 'no version in the answer');
  return {
    version,
    enabled: enabled ?? true,
    createdAtMs: createdOn?.getTime() ?? 0,
    expiresAtMs: expiresOn?.getTime(),
    tags: tags ?? {},
  };
}
