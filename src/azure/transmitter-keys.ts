/**
 * The keys of Shared Signals transmitters. Their address comes from the policy and never from a signal. They are
 * cached for an hour. Unknown key ids cause at most one fetch a minute for each address. When the keys cannot be
 * fetched, that is an outage and not a refusal, so that the transmitter sends the signal again.
 */
import type { Clock, PublicKey } from '../ports.ts';
import type { TransmitterKeys } from '../revocation/ports.ts';
import { call } from './call.ts';
import { fetchJson } from './fetch.ts';
import { keySetShape, rsaKeys } from './key-set.ts';

const KEPT_MS = 3_600_000;
/** How long a cached key is used while the address does not answer. */
const TRUSTED_MS = 24 * 3_600_000;
const COOLDOWN_MS = 60_000;
/** After a failed fetch the next one waits so long, so that incoming signals cannot cause a flood of fetches. */
const HOLD_OFF_MS = 5_000;
/** CAEP interoperability profile: RS256 with at least 2048 bits. */
const MIN_MODULUS_BITS = 2_048;

interface KeySet {
  readonly keys: ReadonlyMap<string, PublicKey>;
  readonly fetchedAtMs: number;
}

export function createTransmitterKeys(clock: Clock): TransmitterKeys {
  const kept = new Map<string, KeySet>();
  const fetching = new Map<string, Promise<KeySet>>();
  const failed = new Map<string, { readonly error: unknown; readonly atMs: number }>();

  /** One fetch at a time for each address, which all waiting calls share. */
  const refresh = async (jwksUri: string): Promise<KeySet> => {
    const failure = failed.get(jwksUri);
    if (failure !== undefined && clock() - failure.atMs < HOLD_OFF_MS) throw failure.error;
    const running =
      fetching.get(jwksUri) ??
      fetchKeySet(jwksUri, clock).finally(() => {
        fetching.delete(jwksUri);
      });
    fetching.set(jwksUri, running);
    try {
      const keySet = await running;
      kept.set(jwksUri, keySet);
      return keySet;
    } catch (error) {
      failed.set(jwksUri, { error, atMs: clock() });
      throw error;
    }
  };

  return {
    find: async (jwksUri, keyId) => {
      const known = kept.get(jwksUri);
      const ageMs = known === undefined ? Number.POSITIVE_INFINITY : clock() - known.fetchedAtMs;
      const key = known?.keys.get(keyId);
      if (key !== undefined && ageMs < KEPT_MS) return key;
      if (known !== undefined && key === undefined && ageMs < COOLDOWN_MS) return undefined;
      try {
        return (await refresh(jwksUri)).keys.get(keyId);
      } catch (error) {
        // An older key is accepted here, because a signal can only take access away.
        if (key !== undefined && ageMs < TRUSTED_MS) return key;
        throw error;
      }
    },
  };
}

async function fetchKeySet(jwksUri: string, clock: Clock): Promise<KeySet> {
  const fetchedAtMs = clock();
  const keySet = await call('transmitter', 'keys', (signal) =>
    fetchJson('transmitter', jwksUri, { signal }, keySetShape),
  );
  const usable = await rsaKeys('transmitter', keySet, MIN_MODULUS_BITS);
  const keys = usable.map(({ keyId, key }): [string, PublicKey] => [keyId, key]);
  return { keys: new Map(keys), fetchedAtMs };
}
