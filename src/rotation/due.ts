/** When a rotation is due, and when it may start. Pure. */
import { MAX_CLOCKS_DIFFER_SECONDS } from '../clocks.ts';
import { MAX_REFERENCE_AGE_MS } from '../facts/key-vault.ts';
import type { Rotation } from '../policy/schema.ts';
import type { Slot } from '../ports.ts';
import { sha256 } from '../secret.ts';
import type { RotationState } from './state.ts';

/** Accounts that were adopted in one tick are rotated at times that are spread over this part of the period. */
const JITTER = 0.1;
const DAY_MS = 86_400_000;

/** The part of a row's state from which the due time is computed. */
type Ages = Pick<RotationState, 'adoptedAtMs' | 'rotatedAtMs' | 'bornAtMs'>;

/** When the slot's key was made, as the rotation saw it or else as the policy says; undefined: unknown. */
export function bornAtMs(rotation: Rotation, { adoptedAtMs, bornAtMs: seen }: Ages, slot: Slot) {
  const said = rotation.keysSince;
  return seen[slot] ?? (said === undefined ? undefined : Math.min(said, adoptedAtMs));
}

/**
 * When the next rotation is due, in milliseconds since the Unix epoch. It is due up to a tenth earlier than a full
 * period after the last one, so that no key gets older than its period. While the age of a key is unknown, the key
 * may be older than that already, so the rotation is due within a day of the adoption. A hash of the resource's name
 * spreads both times. Example: of a thousand accounts adopted in one tick, about forty are rotated in each hour.
 */
export function dueAtMs(resource: string, rotation: Rotation, ages: Ages): number {
  const part = Number.parseInt(sha256(resource).slice(0, 8), 16) / 0x1_0000_0000;
  const afterAdoptionMs = ages.adoptedAtMs + Math.round(Math.min(DAY_MS, rotation.period) * part);
  const [one, two] = [bornAtMs(rotation, ages, 'Key1'), bornAtMs(rotation, ages, 'Key2')];
  if (one === undefined || two === undefined) return afterAdoptionMs;
  const wholeMs = Math.round(rotation.period * (1 - JITTER * part));
  if (ages.rotatedAtMs !== undefined) return ages.rotatedAtMs + wholeMs;
  // The policy's time may be long past for all accounts alike, and they must not all be due at once.
  return Math.max(Math.min(one, two) + wholeMs, afterAdoptionMs);
}

/** The first time at or after `atMs` that is outside the blackout window, which is in UTC and may span midnight. */
export function afterBlackoutMs(rotation: Rotation, atMs: number): number {
  if (rotation.blackout === undefined) return atMs;
  const fromMs = timeOfDayMs(rotation.blackout.from);
  const lengthMs = (timeOfDayMs(rotation.blackout.to) - fromMs + DAY_MS) % DAY_MS;
  const intoMs = (((atMs - fromMs) % DAY_MS) + DAY_MS) % DAY_MS;
  return intoMs < lengthMs ? atMs + lengthMs - intoMs : atMs;
}

/**
 * If the rotation is not over by this time, the timer has stopped or the rotation is stuck. It allows a day for the
 * drain and a blackout window, and the time of the declared consumers for each of the two slots.
 */
export function overdueAtMs(resource: string, rotation: Rotation, ages: Ages): number {
  return dueAtMs(resource, rotation, ages) + DAY_MS + 2 * consumersMs(rotation);
}

/** The clocks of two instances, or of an instance and a service, may differ by this much. */
export const CLOCKS_DIFFER_MS = MAX_CLOCKS_DIFFER_SECONDS * 1000;

/**
 * How long the slowest declared consumer of the secret is given to read the new version, in milliseconds. The
 * difference of clocks is added, because another driver's clock may have set the beginning.
 */
export function consumersMs(rotation: Rotation): number {
  const times = rotation.consumers.map((consumer) =>
    consumer.kind === 'keyVaultReferences' ? MAX_REFERENCE_AGE_MS : consumer.within,
  );
  return times.length === 0 ? 0 : Math.max(...times) + CLOCKS_DIFFER_MS;
}

function timeOfDayMs(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return (hours * 60 + minutes) * 60_000;
}
