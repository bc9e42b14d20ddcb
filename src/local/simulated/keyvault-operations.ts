/** The operations on a vault's secrets, once the caller is known and may do them. */
import * as z from 'zod';
import { json } from './json.ts';
import {
  badParameter,
  bundle,
  deletedBundle,
  deletedButRecoverable,
  deletedSecretNotFound,
  item,
  secretDisabled,
  secretNotFound,
} from './keyvault-answers.ts';
import { latest, type Secret, type SecretStore, type SecretVersion } from './keyvault-store.ts';
import type { Call, Outcome } from './service.ts';

export interface VaultContext {
  readonly store: SecretStore;
  readonly url: string;
  readonly nowSeconds: number;
  readonly name: string;
  /** Empty: the current one. */
  readonly version: string;
  readonly call: Call;
  announce(name: string, version: SecretVersion): void;
}

export interface VaultOperation {
  /** For faults and the request log. */
  readonly name: string;
  readonly method: string;
  /** `{name}` and `{version}` stand for one segment each. */
  readonly route: RegExp;
  readonly dataAction: string;
  run(context: VaultContext): Outcome;
}

const part = '([^/]+)';
const route = (pattern: string) => new RegExp(`^${pattern}/?$`);

/** In this order: `versions` is no version. */
export const vaultOperations: readonly VaultOperation[] = [
  operation('listSecrets', 'GET', '/secrets', 'readMetadata/action', listSecrets),
  operation('listSecretVersions', 'GET', `/secrets/${part}/versions`, 'readMetadata/action', listVersions),
  operation('getSecret', 'GET', `/secrets/${part}(?:/${part})?`, 'getSecret/action', getSecret),
  operation('setSecret', 'PUT', `/secrets/${part}`, 'setSecret/action', setSecret),
  operation('updateSecret', 'PATCH', `/secrets/${part}/${part}`, 'update/action', updateSecret),
  operation('deleteSecret', 'DELETE', `/secrets/${part}`, 'delete', deleteSecret),
  operation('getDeletedSecret', 'GET', `/deletedsecrets/${part}`, 'readMetadata/action', getDeletedSecret),
  operation('recoverDeletedSecret', 'POST', `/deletedsecrets/${part}/recover`, 'recover/action', recover),
  operation('purgeDeletedSecret', 'DELETE', `/deletedsecrets/${part}`, 'purge/action', purge),
];

function operation(
  name: string,
  method: string,
  pattern: string,
  action: string,
  run: (context: VaultContext) => Outcome,
): VaultOperation {
  return {
    name,
    method,
    route: route(pattern),
    dataAction: `Microsoft.KeyVault/vaults/secrets/${action}`,
    run,
  };
}

const unixSeconds = z.int().min(0);
const attributes = z.object({
  enabled: z.boolean().optional(),
  nbf: unixSeconds.nullish(),
  exp: unixSeconds.nullish(),
});
const settable = {
  contentType: z.string().max(255).nullish(),
  tags: z
    .record(z.string().max(256), z.string().max(256))
    .refine((tags) => Object.keys(tags).length <= 15)
    .nullish(),
  attributes: attributes.nullish(),
};
const setParameters = z.object({ value: z.string().max(25_000), ...settable });
const updateParameters = z.object(settable);

function setSecret({ store, url, name, call, nowSeconds, announce }: VaultContext): Outcome {
  const parsed = setParameters.safeParse(json(call.body));
  if (!parsed.success) return badParameter('Invalid parameters: the request body is not a secret.');
  if (!/^[0-9a-zA-Z-]{1,127}$/.test(name)) {
    return badParameter(`The request URI contains an invalid name: ${name}`);
  }
  if (store.find(name)?.deletedAt !== undefined) return deletedButRecoverable(name);
  const added = store.add(name, { value: parsed.data.value, ...given(parsed.data) }, nowSeconds);
  announce(name, added);
  return found(store, name, (secret) => ok(bundle(url, name, secret, latest(secret), true)));
}

function updateSecret({ store, url, name, version, call, nowSeconds }: VaultContext): Outcome {
  const parsed = updateParameters.safeParse(json(call.body));
  if (!parsed.success) return badParameter('Invalid parameters: the request body is not an update.');
  return foundVersion(store, name, version, () => {
    store.change(name, version, { ...given(parsed.data), updated: nowSeconds });
    return foundVersion(store, name, version, (one, secret) => ok(bundle(url, name, secret, one, false)));
  });
}

/** Only what was sent: an absent member of an update leaves the version's own. */
function given(input: z.infer<typeof updateParameters>): Partial<SecretVersion> {
  const { enabled, nbf, exp } = input.attributes ?? {};
  return {
    ...(input.contentType == null ? {} : { contentType: input.contentType }),
    ...(input.tags == null ? {} : { tags: input.tags }),
    ...(enabled === undefined ? {} : { enabled }),
    ...(nbf == null ? {} : { nbf }),
    ...(exp == null ? {} : { exp }),
  };
}

/** `nbf` and `exp` are only told, never enforced; a disabled version is not read. */
function getSecret({ store, url, name, version }: VaultContext): Outcome {
  return foundVersion(store, name, version, (one, secret) =>
    one.enabled ? ok(bundle(url, name, secret, one, true)) : secretDisabled,
  );
}

function listSecrets({ store, url, call }: VaultContext): Outcome {
  const items = store
    .entries()
    .filter(([, secret]) => secret.deletedAt === undefined)
    .map(([name, secret]) => item(`${url}/secrets/${name}`, latest(secret)));
  return page(items, url, call);
}

function listVersions({ store, url, name, call }: VaultContext): Outcome {
  return found(store, name, (secret) => {
    // By id, as Azure does in effect: nobody may rely on the newest being first or last.
    const items = secret.versions
      .toSorted((a, b) => a.id.localeCompare(b.id))
      .map((version) => item(`${url}/secrets/${name}/${version.id}`, version));
    return page(items, url, call);
  });
}

const maxPageSize = 25;

function page(items: readonly object[], url: string, call: Call): Outcome {
  const query = call.url.searchParams;
  const size = Number(query.get('maxresults') ?? maxPageSize);
  if (!Number.isInteger(size) || size < 1 || size > maxPageSize) {
    return badParameter('The maxresults parameter must be between 1 and 25.');
  }
  const from = Number(query.get('$skiptoken') ?? 0);
  const next = new URL(`${url}${call.url.pathname}${call.url.search}`);
  next.searchParams.set('$skiptoken', String(from + size));
  return ok({
    value: items.slice(from, from + size),
    nextLink: from + size < items.length ? next.href : null,
  });
}

function deleteSecret({ store, url, name, nowSeconds }: VaultContext): Outcome {
  return found(store, name, () => {
    store.setDeleted(name, nowSeconds);
    return foundDeleted(store, name, (secret) => ok(deletedBundle(url, name, secret)));
  });
}

function getDeletedSecret({ store, url, name }: VaultContext): Outcome {
  return foundDeleted(store, name, (secret) => ok(deletedBundle(url, name, secret)));
}

function recover({ store, url, name }: VaultContext): Outcome {
  return foundDeleted(store, name, () => {
    store.setDeleted(name, undefined);
    return found(store, name, (secret) => ok(bundle(url, name, secret, latest(secret), false)));
  });
}

function purge({ store, name }: VaultContext): Outcome {
  return foundDeleted(store, name, () => {
    store.purge(name);
    return { status: 204 };
  });
}

function found(store: SecretStore, name: string, answer: (secret: Secret) => Outcome): Outcome {
  const secret = store.find(name);
  return secret === undefined || secret.deletedAt !== undefined ? secretNotFound(name) : answer(secret);
}

function foundDeleted(store: SecretStore, name: string, answer: (secret: Secret) => Outcome): Outcome {
  const secret = store.find(name);
  return secret?.deletedAt === undefined ? deletedSecretNotFound(name) : answer(secret);
}

function foundVersion(
  store: SecretStore,
  name: string,
  id: string,
  answer: (version: SecretVersion, secret: Secret) => Outcome,
): Outcome {
  return found(store, name, (secret) => {
    const version = id === '' ? latest(secret) : secret.versions.find((one) => one.id === id);
    return version === undefined ? secretNotFound(`${name}/${id}`) : answer(version, secret);
  });
}

function ok(body: object): Outcome {
  return { status: 200, body };
}
