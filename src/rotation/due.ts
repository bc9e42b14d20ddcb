/** When a rotation is due, and when it may start. Pure. */
import { MAX_CLOCKS_DIFFER_SECONDS } from '../clocks.ts';
import { MAX_REFERENCE_AGE_MS } from '../facts/key-vault.ts';
import type { Rotation } from '../policy/schema.ts';
import { sha256 } from '../secret.ts';

/** A fleet adopted in one tick spreads its rotations over this part of the period. */
const JITTER = 0.1;
const DAY_MS = 86_400_000;

/** Always earlier than a full period, by a part that the name decides: no key grows older than its period. */
export function dueAtMs(resource: string, rotation: Rotation, rotatedAtMs: number): number {
  const part = Number.parseInt(sha256(resource).slice(0, 8), 16) / 0x1_0000_0000;
  return rotatedAtMs + Math.round(rotation.period * (1 - JITTER * part));
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
export function overdueAtMs(resource: string, rotation: Rotation, rotatedAtMs: number): number {
  return dueAtMs(resource, rotation, rotatedAtMs) + DAY_MS + 2 * consumersMs(rotation);
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
