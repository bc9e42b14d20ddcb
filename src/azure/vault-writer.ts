/** Key Vault secrets, to read and to write. Only the rotator app joins it. */
import type { TokenCredential } from '@azure/core-auth';
import type { SecretVersion, Vault } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { asVersion, createVaultReader, openVault, refusal } from './vault.ts';

/** The content type of the secrets that the broker writes. */
const CONTENT_TYPE = 'application/vnd.azure-ai-account-key';

export function createVault(url: string, credential: TokenCredential): Vault {
  const callVault = openVault(url, credential);
  return {
    ...createVaultReader(callVault),

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
