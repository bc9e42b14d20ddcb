/**
 * Buys a key-exchange (STS) token in such a way that the rotation never regenerates its key while it lives:
 * 1. declare in the ledger the latest time at which the token can still live;
 * 2. read again whether the slot may be used;
 * 3. buy.
 * The rotation does it the other way round: it marks the slot as retiring, then reads the ledger. So either this
 * instance sees the mark and does not buy, or the rotation sees the declaration and waits. No clock is needed for
 * that (invariant 3).
 *
 * The key is read as the secret version that the rotation's row names, and not as the vault's current version: a
 * read of the current version may be answered by a replica that lags, with the key that was retired a moment ago.
 */
import { accountKey } from '../account-key.ts';
import { MAX_DECLARED_LIFE_MS, STS_LIFE_MS } from '../facts/sts.ts';
import type { Resource } from '../policy/schema.ts';
import type {
  Clock,
  CurrentKey,
  IssuedToken,
  MintLedger,
  Slot,
  SlotState,
  Sts,
  VaultKey,
  VaultReader,
} from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';

const MAX_ROUNDS = 3;
/**
 * The waits while a replica of the vault does not have the version yet that the row names: 11 s in all. If it is
 * still missing then, somebody deleted it, and the next tick of the rotation writes another.
 */
const VERSION_PAUSES_MS = [250, 500, 1_000, 2_000, 3_000, 4_250];
const RETRY_AFTER_SECONDS = 5;

export interface MintPorts {
  readonly vault: VaultReader;
  readonly sts: Sts;
  readonly ledger: MintLedger;
  /** The account's slots, from a head read that begins after this call; undefined where it was never rotated. */
  readonly slotsNow: (resource: Resource) => Promise<SlotState | undefined>;
  readonly clock: Clock;
  readonly sleep: (ms: number) => Promise<void>;
  readonly instance: string;
}
export interface Minted extends IssuedToken {
  readonly slot: Slot;
  readonly epoch: number;
  readonly generation: number;
}

/**
 * @param host the endpoint that issues the token. The token is accepted at this endpoint and at no other
 * @throws UpstreamFailure, also when the vault's key is refused or being retired: neither is a mistake of the caller
 */
export async function mint(ports: MintPorts, resource: Resource, host: string): Promise<Minted> {
  const account = accountKey(resource.accountId);
  let refused: string | undefined;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { slots: before, slot, key } = await keyToBuyWith(ports, resource);
    // The service throttles clients that repeat a wrong key, so after a refusal only a newer version is tried.
    if (key.version === refused) break;
    if (before?.retiring === slot) continue;

    const declaredMs = ports.clock() + MAX_DECLARED_LIFE_MS;
    await ports.ledger.declare(account, slot, ports.instance, declaredMs);
    const after = await ports.slotsNow(resource);
    if (after?.retiring === slot || after?.generation !== before?.generation) continue;

    const askedAtMs = ports.clock();
    const issued = await ports.sts.issue(host, key.value);
    if (issued === 'keyRefused') {
      refused = key.version;
      continue;
    }
    // The service's clock may be ahead of ours, so the life is counted from the moment when we asked.
    const expiresAtMs = Math.min(issued.expiresAtMs, askedAtMs + STS_LIFE_MS);
    // If the process was paused between declaring and buying, the token may outlive its declaration: buy again.
    if (ports.clock() + STS_LIFE_MS > declaredMs) continue;
    // The same if the token itself says that it lives longer: its key would be regenerated too early.
    if (issued.expiresAtMs > declaredMs)
      throw new UpstreamFailure('sts', `tokens for ${resource.name} live longer than was declared`);
    return {
      token: issued.token,
      expiresAtMs,
      slot,
      epoch: after?.epoch ?? 0,
      generation: after?.generation ?? 0,
    };
  }
  throw new UpstreamFailure('sts', `no usable key for ${resource.name}`);
}

/** Reads the row and the key that it names, again and again while a replica of the vault does not have it yet. */
async function keyToBuyWith(
  { slotsNow, vault, sleep }: MintPorts,
  resource: Resource,
): Promise<{ slots: SlotState | undefined; slot: Slot; key: VaultKey }> {
  for (let attempt = 0; ; attempt += 1) {
    const slots = await slotsNow(resource);
    const named: CurrentKey | undefined = slots?.current;
    // The policy does not load without the name of the secret where tokens are bought with its key.
    const key = await (named === undefined
      ? vault.current(resource.secret ?? '')
      : vault.read(named.secret, named.version));
    if (typeof key === 'object') {
      const slot = named?.slot ?? slotOf(key.tags);
      if (slot !== undefined) return { slots, slot, key };
      throw new UpstreamFailure('keyvault', `the secret of ${resource.name} does not say its slot`);
    }
    const pauseMs = VERSION_PAUSES_MS[attempt];
    if (named === undefined || key === 'disabled' || pauseMs === undefined)
      throw new UpstreamFailure(
        'keyvault',
        `the secret of ${resource.name} is ${key}`,
        0,
        RETRY_AFTER_SECONDS,
      );
    await sleep(pauseMs);
  }
}

function slotOf(tags: Readonly<Record<string, string>>): Slot | undefined {
  return tags['slot'] === 'Key1' || tags['slot'] === 'Key2' ? tags['slot'] : undefined;
}
