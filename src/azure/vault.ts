import type { TokenCredential } from '@azure/core-auth';
import type { KeyVaultSecret, SecretClient, SecretProperties } from '@azure/keyvault-secrets';
import { isLoopback } from '../config.ts';
import type { SecretVersion, Vault, VaultKey } from '../ports.ts';
import { Secret } from '../secret.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';

/** What a secret written by the broker holds. */
const CONTENT_TYPE = 'application/vnd.azure-ai-account-key';

/** Key Vault secrets. The SDK is loaded at the first call; its own retries are off, call.ts has them. */
export function createVault(url: string, credential: TokenCredential): Vault {
  let client: Promise<SecretClient> | undefined;
  const open = async (): Promise<SecretClient> => {
    const { SecretClient } = await import('@azure/keyvault-secrets');
    return new SecretClient(url, credential, {
      retryOptions: { maxRetries: 0 },
      // The challenge must name the vault's own domain; a simulated vault has none.
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
  // Loading the SDK is our own work, on a cold start the most of it: the vault's time to answer begins after it.
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

    /** A repeated write makes a second version of the same value, which is harmless; so it may be retried. */
    write: (secret, value, tags, expiresAtMs) =>
      callVault('setSecret', async (opened, abortSignal) => {
        try {
          const { properties } = await opened.setSecret(secret, value.reveal(), {
            abortSignal,
            tags,
            contentType: CONTENT_TYPE,
            expiresOn: new Date(expiresAtMs),
          });
          return asVersion(properties).version;
        } catch (error) {
          const { status, inner } = refusal(error);
          // A soft-deleted name is 409 until it is recovered or purged; one being recovered is a matter of waiting.
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
        // A secret has a version; the SDK takes an answer that is no list for an empty one.
        if (found.length === 0) throw new UpstreamFailure('keyvault', 'no versions in the answer');
        return found;
      }),

    disable: (secret, version) =>
      callVault('updateSecret', async (opened, abortSignal) => {
        await opened.updateSecretProperties(secret, version, { abortSignal, enabled: false });
      }),
  };
}

/** The vault's error body: `{"error":{"code","message","innererror":{"code"}}}`, which the SDK spells innerError. */
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
