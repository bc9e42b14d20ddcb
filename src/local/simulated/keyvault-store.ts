/**
 * What a vault holds: secrets, their versions in the order they were set, and the soft-deleted ones. Kept in
 * the data folder, values too, readable by the owner only; there again after `kill -9`.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { loadJson, saveJson } from './durable.ts';

const version = z.strictObject({
  /** 32 hexadecimal digits. */
  id: z.string(),
  value: z.string(),
  contentType: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  enabled: z.boolean(),
  /** Seconds since the epoch, as everywhere in Key Vault. */
  nbf: z.number().optional(),
  exp: z.number().optional(),
  created: z.number(),
  updated: z.number(),
  /** Which of its expiry events Event Grid has been told. */
  announced: z.enum(['nearExpiry', 'expired']).optional(),
});
const secret = z.strictObject({
  versions: z.array(version).min(1),
  deletedAt: z.number().optional(),
});

export type SecretVersion = z.infer<typeof version>;
export type Secret = z.infer<typeof secret>;
/** What a caller may set of a version. */
export type VersionInput = Pick<SecretVersion, 'value'> &
  Partial<Pick<SecretVersion, 'contentType' | 'tags' | 'enabled' | 'nbf' | 'exp'>>;

export interface SecretStore {
  /** Deleted ones too. */
  find(name: string): Secret | undefined;
  entries(): readonly (readonly [string, Secret])[];
  add(name: string, input: VersionInput, nowSeconds: number): SecretVersion;
  change(name: string, id: string, changes: Partial<SecretVersion>): void;
  /** `undefined` recovers it. */
  setDeleted(name: string, deletedAt: number | undefined): void;
  purge(name: string): void;
}

export function openSecretStore(dataFolder: string): SecretStore {
  const path = join(dataFolder, 'vault.json');
  const found = loadJson(path);
  const secrets = new Map<string, Secret>(
    found === undefined ? [] : Object.entries(z.record(z.string(), secret).parse(found)),
  );
  const put = (name: string, changed: Secret | undefined) => {
    if (changed === undefined) secrets.delete(name);
    else secrets.set(name, changed);
    saveJson(path, Object.fromEntries(secrets));
  };
  const get = (name: string): Secret => {
    const one = secrets.get(name);
    if (one === undefined) throw new RangeError(`there is no secret '${name}'`);
    return one;
  };
  return {
    find: (name) => secrets.get(name),
    entries: () => [...secrets],
    add(name, input, nowSeconds) {
      const added: SecretVersion = {
        enabled: true,
        ...input,
        id: randomBytes(16).toString('hex'),
        created: nowSeconds,
        updated: nowSeconds,
      };
      put(name, { versions: [...(secrets.get(name)?.versions ?? []), added] });
      return added;
    },
    change(name, id, changes) {
      const { versions, ...rest } = get(name);
      put(name, { ...rest, versions: versions.map((one) => (one.id === id ? { ...one, ...changes } : one)) });
    },
    setDeleted(name, deletedAt) {
      const { versions } = get(name);
      put(name, deletedAt === undefined ? { versions } : { versions, deletedAt });
    },
    purge: (name) => put(name, undefined),
  };
}

/** The store as a replica has it that lacks some versions: a secret is there once it has its first. */
export function replicaOf(store: SecretStore, has: (version: SecretVersion) => boolean): SecretStore {
  return {
    ...store,
    find(name) {
      const secret = store.find(name);
      const versions = secret?.versions.filter(has) ?? [];
      return secret === undefined || versions.length === 0 ? undefined : { ...secret, versions };
    },
  };
}

/** The current version is the newest one, whether it is enabled or not. */
export function latest(one: Secret): SecretVersion {
  const last = one.versions.at(-1);
  if (last === undefined) throw new Error('a secret has at least one version');
  return last;
}
