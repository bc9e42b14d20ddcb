import type { TokenCredential } from '@azure/core-auth';
import type { KeyVaultSecret, SecretClient, SecretProperties } from '@azure/keyvault-secrets';
import { isLoopback } from '../config.ts';
import type { SecretVersion, Vault, VaultKey } from '../ports.ts';
import { Secret } from '../secret.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';

/** The content type of the secrets that the broker writes. */
const CONTENT_TYPE = 'application/vnd.azure-ai-account-key';

/** Key Vault secrets. The SDK is loaded at the first call. Its own retries are off, because call.ts retries. */
export function createVault(url: string, credential: TokenCredential): Vault {
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
  const callVault = async <T>(
    operation: string,
    run: (opened: SecretClient, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const opened = await secrets();
    return call('keyvault', operation, (abortSignal) => run(opened, abortSignal));
  };

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

    /** May be retried: a repeated write makes a second version with the same value, which is harmless. */
    write: (secret, value, tags, expiresAtMs) =>
      callVault('setSecret', async (opened, abortSignal) => {
        try {
          const { properties } = await opened.setSecret(secret, value.reveal(), {
            abortSignal,
            tags,
            contentType: CONTENT_TYPE,
            expiresOn: new Date(expiresAtMs),
          });
          return asVersion(properties);
        } catch (error) {
          const { status, inner } = refusal(error);
          // A soft-deleted secret answers 409 until a person recovers or purges it; during a recovery, wait.
          if (status === 409 && inner !== 'ObjectIsBeingRecovered') return 'deleted';
          throw error;
        }
      }),

    versions: (secret) =>
      callVault('getSecretVersions', async (opened, abortSignal) => {
        const found: SecretVersion[] = [];
        for await (const properties of opened.listPropertiesOfSecretVersions(secret, { abortSignal })) {
          found.push(asVersion(properties));
        }
        // Every secret has a version. An empty list means that the answer was no list, which the SDK does not notice.
        if (found.length === 0) throw new UpstreamFailure('keyvault', 'no versions in the answer');
        return found;
      }),

    disable: (secret, version) =>
      callVault('updateSecret', async (opened, abortSignal) => {
        await opened.updateSecretProperties(secret, version, { abortSignal, enabled: false });
      }),
  };
}

/** Reads the vault's error body, `{"error":{"code","message","innererror":{"code"}}}`; the SDK spells it innerError. */
function refusal(error: unknown): { status: number | undefined; inner: string | undefined } {
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

function asVersion({ version, enabled, createdOn, expiresOn, tags }: SecretProperties): SecretVersion {
  if (typeof version !== 'string') throw new UpstreamFailure('keyvault', 'no version in the answer');
  return {
    version,
    enabled: enabled ?? true,
    createdAtMs: createdOn?.getTime() ?? 0,
    expiresAtMs: expiresOn?.getTime(),
    tags: tags ?? {},
  };
}
