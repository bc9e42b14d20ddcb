/** When a rotation is due, and when it may start. Pure. */
import { MAX_CLOCKS_DIFFER_SECONDS } from '../clocks.ts';
import { MAX_REFERENCE_AGE_MS } from '../facts/key-vault.ts';
import type { Rotation } from '../policy/schema.ts';
import type { Slot } from '../ports.ts';
import { sha256 } from '../secret.ts';
import type { RotationState } from './state.ts';

/** A fleet adopted in one tick spreads its rotations over this part of the period. */
const JITTER = 0.1;
const DAY_MS = 86_400_000;

/** What a rotation's due time follows from: part of the row. */
type Ages = Pick<RotationState, 'adoptedAtMs' | 'rotatedAtMs' | 'bornAtMs'>;

/** When the slot's key was made: as seen, or as the policy says; undefined: unknown. */
export function bornAtMs(rotation: Rotation, { adoptedAtMs, bornAtMs: seen }: Ages, slot: Slot) {
  const said = rotation.keysSince;
  return seen[slot] ?? (said === undefined ? undefined : Math.min(said, adoptedAtMs));
}

/**
 * Always earlier than a full period, by a part that the name decides: no key grows older than its period. While
 * the age of a key is unknown it may be older already, so the rotation is due within a day of the adoption, at a
 * moment of that day that the name decides. Example: a thousand accounts adopted in one tick are some forty an hour.
 */
export function dueAtMs(resource: string, rotation: Rotation, ages: Ages): number {
  const part = Number.parseInt(sha256(resource).slice(0, 8), 16) / 0x1_0000_0000;
  const afterAdoptionMs = ages.adoptedAtMs + Math.round(Math.min(DAY_MS, rotation.period) * part);
  const [one, two] = [bornAtMs(rotation, ages, 'Key1'), bornAtMs(rotation, ages, 'Key2')];
  if (one === undefined || two === undefined) return afterAdoptionMs;
  const wholeMs = Math.round(rotation.period * (1 - JITTER * part));
  if (ages.rotatedAtMs !== undefined) return ages.rotatedAtMs + wholeMs;
  // What the policy says may be long ago, of a whole fleet.
  return Math.max(Math.min(one, two) + wholeMs, afterAdoptionMs);
}

/** The first moment at or after `atMs` that is outside the blackout window (UTC, may run over midnight). */
export function afterBlackoutMs(rotation: Rotation, atMs: number): number {
  if (rotation.blackout === undefined) return atMs;
  const fromMs = timeOfDayMs(rotation.blackout.from);
  const lengthMs = (timeOfDayMs(rotation.blackout.to) - fromMs + DAY_MS) % DAY_MS;
  const intoMs = (((atMs - fromMs) % DAY_MS) + DAY_MS) % DAY_MS;
  return intoMs < lengthMs ? atMs + lengthMs - intoMs : atMs;
}

/**
 * Later than this the timer must have stopped or the machine be stuck: a day for the drain and a blackout,
 * beside what declared consumers are given.
 */
export function overdueAtMs(resource: string, rotation: Rotation, ages: Ages): number {
  return dueAtMs(resource, rotation, ages) + DAY_MS + 2 * consumersMs(rotation);
}

/** Clocks of the instances, of the services and ours may differ by this much. */
export const CLOCKS_DIFFER_MS = MAX_CLOCKS_DIFFER_SECONDS * 1000;

/** How long the slowest declared consumer is given: another driver's clock may say when that began. */
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
