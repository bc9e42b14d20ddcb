/** Makes the steps that reach the vault or the account. Before each change the driver checks that it has the lease. */
import { NEAR_EXPIRY_MS } from '../facts/key-vault.ts';
import type { AccountKeys, Slot, VaultKey } from '../ports.ts';
import { fingerprint } from './observe.ts';
import type { RotationPorts, Target } from './ports.ts';
import { Overwritten } from './problem.ts';
import { healed, type Probe, probed, promoted, regenerated, tidied } from './progress.ts';
import { failed } from './retry.ts';
import type { RotationState, SecretPlace } from './state.ts';
import type { Step } from './step.ts';

/** A key counts as accepted after so many accepted calls in a row, since each call may reach another gateway. */
const CALLS_IN_A_ROW = 3;

export interface Driving {
  readonly ports: RotationPorts;
  readonly target: Target;
  readonly state: RotationState;
  /** As ARM listed them in this tick. */
  readonly keys: AccountKeys;
  readonly fence: number;
  /** Reads whether this driver still has the lease. Without it the driver changes nothing (invariant 4). */
  readonly isMine: () => Promise<boolean>;
}

/** @returns the state to store; 'lost' when another driver has taken over. @throws UpstreamFailure */
export async function act(
  driving: Driving,
  step: Exclude<Step, { do: 'wait' | 'note' }>,
): Promise<RotationState | 'lost'> {
  const { ports, state } = driving;
  switch (step.do) {
    case 'heal': {
      const slot = await firstAccepted(driving, step.slots);
      if (slot === undefined) return failed(state, { code: 'no_key_accepted', detail: step.drift });
      return publish(driving, slot, (at) => healed(state, slot, at, ports.clock()));
    }
    case 'prove':
      return probed(state, await probe(driving, step.slot), ports.clock());
    case 'publish':
      return publish(driving, step.slot, (at) => promoted(state, at, ports.clock()));
    case 'regenerate':
      return regenerate(driving, step.slot);
    case 'tidy':
      return tidy(driving);
  }
}

/**
 * A repair does not wait for the minute of a proof. The key in the vault is refused already, so a key that only some
 * gateways know yet serves more exchanges than that one. Example: the rotation has just made Key1, and somebody
 * regenerates Key2, which was current. Key1 is the only key that works anywhere (seed 31840, judge-keys.ts).
 */
async function firstAccepted(driving: Driving, slots: readonly Slot[]): Promise<Slot | undefined> {
  // A single slot means that its key is current already, and only the tags of its version are written anew.
  if (slots.length === 1) return slots[0];
  for (const slot of slots) if (await isAccepted(driving, slot)) return slot;
  return undefined;
}

async function isAccepted({ ports, target, keys }: Driving, slot: Slot): Promise<boolean> {
  for (let call = 0; call < CALLS_IN_A_ROW; call += 1) {
    if (!(await ports.proof.accepts(target.resource, keys[slot]))) return false;
  }
  return true;
}

async function probe(driving: Driving, slot: Slot): Promise<Probe> {
  const { ports, target, state, keys } = driving;
  const phase = state.work?.phase;
  const accepted = await isAccepted(driving, slot);
  const found = { fingerprint: fingerprint(keys[slot]), accepted };
  if (phase?.name !== 'proving' || phase.oldKey === 'refused' || phase.oldKey === 'unknown') return found;
  const old = (await otherVersions(driving)).find(({ value }) => fingerprint(value) === phase.before);
  if (old === undefined) return { ...found, oldKey: 'unknown' };
  return {
    ...found,
    oldKey: (await ports.proof.accepts(target.resource, old.value)) ? 'accepted' : 'refused',
  };
}

/**
 * Writes the slot's key as the secret's new version and reads the current version back. Key Vault has no conditional
 * write, so only this read shows whether somebody else wrote at the same time.
 */
async function publish(
  driving: Driving,
  slot: Slot,
  published: (at: SecretPlace) => RotationState,
): Promise<RotationState | 'lost'> {
  const { ports, target, state, keys, fence } = driving;
  if (!(await driving.isMine())) return 'lost';
  const tags = {
    account: target.resource.accountId,
    slot,
    fingerprint: fingerprint(keys[slot]),
    generation: String(state.generation + 1),
    fence: String(fence),
  };
  const expiresAtMs = ports.clock() + 2 * target.rotation.period + NEAR_EXPIRY_MS;
  const written = await ports.vault.write(target.secret, keys[slot], tags, expiresAtMs);
  if (written === 'deleted') return failed(state, { code: 'secret_deleted' });
  const { version } = written;
  const current = await ports.vault.current(target.secret);
  if (typeof current === 'string' || current.version !== version) {
    throw new Overwritten();
  }
  return published({ secret: target.secret, version });
}

async function regenerate(driving: Driving, slot: Slot): Promise<RotationState | 'lost'> {
  const { ports, target, state, keys } = driving;
  if (!(await driving.isMine())) return 'lost';
  const answer = await ports.accounts.regenerate(target.resource.accountId, slot);
  if (typeof answer === 'string')
    return failed(state, {
      code: 'regenerate_refused',
      detail: `regenerating ${slot} is refused: ${answer}`,
    });
  const made = fingerprint(answer[slot]);
  return made === fingerprint(keys[slot])
    ? failed(state, {
        code: 'regenerate_without_effect',
        detail: `${slot} was regenerated and has the key it had before`,
      })
    : regenerated(state, made, ports.clock());
}

/** Disables each version that is enabled and not current, and whose value is no key of the account any more. */
async function tidy(driving: Driving): Promise<RotationState | 'lost'> {
  const { ports, target, state, keys } = driving;
  const alive = [fingerprint(keys.Key1), fingerprint(keys.Key2)];
  for (const { version, value } of await otherVersions(driving)) {
    if (alive.includes(fingerprint(value))) continue;
    if (!(await driving.isMine())) return 'lost';
    await ports.vault.disable(target.secret, version);
  }
  return tidied(state, ports.clock());
}

/** The enabled versions other than the current one. Their values are read, because a tag may have been edited. */
async function otherVersions({ ports, target, state }: Driving): Promise<VaultKey[]> {
  const found: VaultKey[] = [];
  for (const { version, enabled } of await ports.vault.versions(target.secret)) {
    if (!enabled || version === state.secretVersion) continue;
    const read = await ports.vault.read(target.secret, version);
    if (typeof read !== 'string') found.push(read);
  }
  return found;
}
