/**
 * A tenant's signing keys. Their address comes from the settings and never from a token. They are refreshed every hour
 * in the background; when that fails, the cached keys are used for up to a day. Unknown key ids cause at most one
 * fetch in five minutes, so a sender of invented ids cannot cause more.
 * https://learn.microsoft.com/entra/identity-platform/signing-key-rollover
 */
import * as z from 'zod';
import {
  REFRESH_SIGNING_KEYS_MS,
  TRUST_SIGNING_KEYS_MS,
  UNKNOWN_SIGNING_KEY_COOLDOWN_MS,
} from '../facts/entra.ts';
import type { Clock, SigningKey, SigningKeys } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { fetchJson } from './fetch.ts';
import { keySetShape, rsaKeys } from './key-set.ts';

/** After a background refresh has failed, the next one waits so long. */
const RETRY_AFTER_MS = 10_000;
/** When there are no keys and a fetch has failed, exchanges fail for so long without another fetch. */
const HOLD_OFF_MS = 1_000;

const metadataShape = z.object({ issuer: z.string(), jwks_uri: z.url() });

type Version = '1.0' | '2.0';
interface KeySet {
  readonly keys: ReadonlyMap<string, SigningKey>;
  readonly fetchedAtMs: number;
}
interface Entry {
  keySet: KeySet | undefined;
  fetching: Promise<KeySet> | undefined;
  failure: { readonly error: unknown; readonly atMs: number } | undefined;
  refetchedForUnknownAtMs: number;
  nextRefreshAtMs: number;
}

export function createSigningKeys(authority: string, clock: Clock): SigningKeys {
  const entries = new Map<string, Entry>();

  const refresh = (entry: Entry, tenantId: string, version: Version): Promise<KeySet> => {
    entry.fetching ??= fetchKeySet(authority, tenantId, version, clock)
      .then((keySet) => {
        entry.keySet = keySet;
        entry.failure = undefined;
        entry.nextRefreshAtMs = keySet.fetchedAtMs + REFRESH_SIGNING_KEYS_MS;
        return keySet;
      })
      .catch((error: unknown) => {
        entry.failure = { error, atMs: clock() };
        entry.nextRefreshAtMs = clock() + RETRY_AFTER_MS;
        throw error;
      })
      .finally(() => {
        entry.fetching = undefined;
      });
    return entry.fetching;
  };
  const needed = async (entry: Entry, tenantId: string, version: Version): Promise<KeySet> => {
    const { failure, fetching } = entry;
    if (fetching === undefined && failure !== undefined && clock() - failure.atMs < HOLD_OFF_MS)
      throw failure.error;
    return refresh(entry, tenantId, version);
  };

  return {
    find: async (tenantId, version, keyId) => {
      const name = `${tenantId} ${version}`;
      const entry = entries.get(name) ?? {
        keySet: undefined,
        fetching: undefined,
        failure: undefined,
        refetchedForUnknownAtMs: Number.NEGATIVE_INFINITY,
        nextRefreshAtMs: 0,
      };
      entries.set(name, entry);
      const isTrusted =
        entry.keySet !== undefined && clock() - entry.keySet.fetchedAtMs < TRUST_SIGNING_KEYS_MS;
      const held = isTrusted ? entry.keySet : undefined;
      const keySet = held ?? (await needed(entry, tenantId, version));
      const known = keySet.keys.get(keyId);
      if (known !== undefined) {
        // The refresh runs in the background and its failure is ignored: the cached keys are trusted for a day.
        if (clock() >= entry.nextRefreshAtMs) refresh(entry, tenantId, version).catch(() => undefined);
        return known;
      }
      if (
        clock() - entry.refetchedForUnknownAtMs < UNKNOWN_SIGNING_KEY_COOLDOWN_MS &&
        entry.fetching === undefined
      )
        return undefined;
      // The key set was fetched for this call, so fetching it again would bring nothing new.
      if (held === undefined) return undefined;
      const refetched = await needed(entry, tenantId, version);
      entry.refetchedForUnknownAtMs = clock();
      return refetched.keys.get(keyId);
    },
  };
}

async function fetchKeySet(
  authority: string,
  tenantId: string,
  version: Version,
  clock: Clock,
): Promise<KeySet> {
  const prefix = `${authority}/${tenantId}${version === '2.0' ? '/v2.0' : ''}`;
  const fetchedAtMs = clock();
  const metadata = await call('entra', 'discovery', (signal) =>
    fetchJson('entra', `${prefix}/.well-known/openid-configuration`, { signal }, metadataShape),
  );
  // The keys must come from the authority itself, so an answer that names another host is not followed.
  if (new URL(metadata.jwks_uri).origin !== new URL(authority).origin)
    throw new UpstreamFailure('entra', 'the metadata names keys on another host');
  const keySet = await call('entra', 'keys', (signal) =>
    fetchJson('entra', metadata.jwks_uri, { signal }, keySetShape),
  );
  const usable = await rsaKeys('entra', keySet);
  if (usable.length === 0) throw new UpstreamFailure('entra', 'the key set holds no signing key');
  const keys = usable.map(({ keyId, key, issuer }): [string, SigningKey] => [
    keyId,
    { key, issuer: metadata.issuer, keyIssuer: issuer },
  ]);
  return { keys: new Map(keys), fetchedAtMs };
}
