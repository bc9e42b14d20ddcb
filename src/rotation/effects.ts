/** The steps that reach outside, one each. Before anything is changed the lease is looked at again. */
import { NEAR_EXPIRY_MS } from '../facts/key-vault.ts';
import type { AccountKeys, Slot, VaultKey } from '../ports.ts';
import { fingerprint } from './observe.ts';
import type { RotationPorts, Target } from './ports.ts';
import { Overwritten } from './problem.ts';
import { failed, healed, type Probe, probed, promoted, regenerated, tidied } from './progress.ts';
import type { RotationState, SecretPlace } from './state.ts';
import type { Step } from './step.ts';

/** A key is accepted when it is so many times in a row. */
const CALLS_IN_A_ROW = 3;

export interface Driving {
  readonly ports: RotationPorts;
  readonly target: Target;
  readonly state: RotationState;
  /** As listed by this tick. */
  readonly keys: AccountKeys;
  readonly fence: number;
  /** Whether this driver still has the lease. A driver that has not changes nothing (invariant 4). */
  readonly isMine: () => Promise<boolean>;
}

/** @returns what is to be remembered; 'lost': another driver took over. @throws UpstreamFailure */
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
 * A heal does not wait for the span of a proof: the vault's key is broken already, so a key that only some
 * gateways know yet serves more calls than the broken one.
 */
async function firstAccepted(driving: Driving, slots: readonly Slot[]): Promise<Slot | undefined> {
  // A single one is in use already: its version's tags are put right.
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
 * Writes the slot's key as the secret's new version and reads it back: Key Vault has no compare-and-set, so
 * whoever wrote last is seen only afterwards.
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
  const version = await ports.vault.write(target.secret, keys[slot], tags, expiresAtMs);
  if (version === 'deleted') return failed(state, { code: 'secret_deleted' });
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

/** Whatever is enabled, is not current, and is no key of the account any more. */
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

/** Enabled versions beside the current one, with their values: a tag may have been edited. */
async function otherVersions({ ports, target, state }: Driving): Promise<VaultKey[]> {
  const found: VaultKey[] = [];
  for (const { version, enabled } of await ports.vault.versions(target.secret)) {
    if (!enabled || version === state.secretVersion) continue;
    const read = await ports.vault.read(target.secret, version);
    if (typeof read !== 'string') found.push(read);
  }
  return found;
}
