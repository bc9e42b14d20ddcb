/** Key Vault's answers, byte for byte where they are known. https://learn.microsoft.com/rest/api/keyvault/secrets */

import { latest, type Secret, type SecretVersion } from './keyvault-store.ts';
import type { Principal } from './roles.ts';
import type { Outcome } from './service.ts';

const recoveryDays = 90;

/** A version as `get`, `set` and `update` answer it; the value only where it may be seen. */
export function bundle(
  url: string,
  name: string,
  secret: Secret,
  version: SecretVersion,
  withValue: boolean,
) {
  const previous = secret.versions[secret.versions.indexOf(version) - 1];
  return {
    ...(withValue ? { value: version.value } : {}),
    ...item(`${url}/secrets/${name}/${version.id}`, version),
    ...(previous === undefined ? {} : { previousVersion: previous.id }),
  };
}

/** A version in a list. A list of secrets shows the current one, under an id without version. */
export function item(id: string, version: SecretVersion) {
  return {
    ...(version.contentType === undefined ? {} : { contentType: version.contentType }),
    id,
    attributes: {
      enabled: version.enabled,
      ...(version.nbf === undefined ? {} : { nbf: version.nbf }),
      ...(version.exp === undefined ? {} : { exp: version.exp }),
      created: version.created,
      updated: version.updated,
      recoveryLevel: 'Recoverable+Purgeable',
      recoverableDays: recoveryDays,
    },
    ...(version.tags === undefined ? {} : { tags: version.tags }),
  };
}

export function deletedBundle(url: string, name: string, secret: Secret) {
  const deletedDate = secret.deletedAt ?? 0;
  return {
    recoveryId: `${url}/deletedsecrets/${name}`,
    deletedDate,
    scheduledPurgeDate: deletedDate + recoveryDays * 86_400,
    ...bundle(url, name, secret, latest(secret), false),
  };
}

export function failure(status: number, code: string, message: string, inner?: string): Outcome {
  const innererror = inner === undefined ? {} : { innererror: { code: inner } };
  return { status, body: { error: { code, message, ...innererror } } };
}

export function badParameter(message: string): Outcome {
  return failure(400, 'BadParameter', message);
}

export function secretNotFound(name: string): Outcome {
  const message = `A secret with (name/id) ${name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`;
  return failure(404, 'SecretNotFound', message);
}

export function deletedSecretNotFound(name: string): Outcome {
  return failure(404, 'SecretNotFound', `Deleted Secret not found: ${name}`);
}

export const secretDisabled = failure(
  403,
  'Forbidden',
  'Operation get is not allowed on a disabled secret.',
  'SecretDisabled',
);

export function deletedButRecoverable(name: string): Outcome {
  const message = `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.`;
  return failure(409, 'Conflict', message, 'ObjectIsDeletedButRecoverable');
}

/** The challenge that Key Vault's clients ask for by sending their first request without a token. */
export function challenge(authorization: string, hadToken: boolean): Outcome {
  const message = hadToken
    ? 'AKV10022: Invalid audience. Expected https://vault.azure.net.'
    : 'AKV10000: Request is missing a Bearer or PoP token.';
  return {
    ...failure(401, 'Unauthorized', message),
    headers: {
      'www-authenticate': `Bearer authorization="${authorization}", resource="https://vault.azure.net"`,
    },
  };
}

export function forbiddenByRbac(vaultId: string, name: string, action: string, by: Principal): Outcome {
  const message = [
    'Caller is not authorized to perform action on resource.',
    'If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.',
    `Caller: appid=${by.clientId};oid=${by.objectId};iss=https://sts.windows.net/${by.tenantId}/`,
    `Action: '${action}'`,
    `Resource: '${vaultId}/secrets/${name}'`,
    'Assignment: (not found)',
    `Vault: ${vaultId.split('/').at(-1)};location=westeurope`,
    '',
  ].join('\r\n');
  return failure(403, 'Forbidden', message, 'ForbiddenByRbac');
}

export function throttled(waitSeconds: number): Outcome {
  return {
    ...failure(
      429,
      'Throttled',
      'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached',
    ),
    headers: { 'retry-after': String(waitSeconds) },
  };
}
