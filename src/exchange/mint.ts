/**
 * Buying a key-exchange (STS) token so that the rotation can never pull the key from under it: declare the
 * latest time at which the token can still live, then look again whether the slot may be used, then buy.
 * The rotation marks the slot first and reads the ledger then, so whichever goes first, no token is missed,
 * and no clock is assumed (invariant 3).
 *
 * The key is the version that the rotation's row names, not the vault's current one: a read of the current one
 * may come from a copy of the vault that lags, and would give the key that was retired a moment ago.
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
 * Waits for a version that the row names and that the vault does not show yet, 11 s together. A version that is
 * still not there was deleted by somebody, and the next tick of the rotation writes another.
 */
const VERSION_PAUSES_MS = [250, 500, 1_000, 2_000, 3_000, 4_250];
const RETRY_AFTER_SECONDS = 5;

export interface MintPorts {
  readonly vault: VaultReader;
  readonly sts: Sts;
  readonly ledger: MintLedger;
  /** The resource's slots as of a head read that begins after this call; undefined where never rotated. */
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
 * @param host the endpoint that is to issue, and at which alone the token will be good
 * @throws UpstreamFailure, also when the vault's key is refused or being retired: neither is the caller's fault
 */
export async function mint(ports: MintPorts, resource: Resource, host: string): Promise<Minted> {
  const account = accountKey(resource.accountId);
  let refused: string | undefined;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { slots: before, slot, key } = await keyToBuyWith(ports, resource);
    // A wrong key tried again and again makes the service limit us; only a newer version is worth a call.
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
    // The service's clock is not ours: never promise more life than it gives from the moment we asked.
    const expiresAtMs = Math.min(issued.expiresAtMs, askedAtMs + STS_LIFE_MS);
    // A process that slept between declaring and buying may hold a token its ledger entry does not cover.
    if (ports.clock() + STS_LIFE_MS > declaredMs) continue;
    // Nor may one that says so itself: its key would be pulled too early, and it would outlive every promise.
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

/** The row, and the key that it names; asked for again while the vault does not show that version yet. */
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
