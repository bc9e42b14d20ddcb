/**
 * What the composition roots put around the ports that they join, so that what happens there is a span or is counted
 * and the capabilities know nothing of it. While telemetry is off each returns what it was given.
 */
import { type Count, counts } from './counts.ts';
import { measure } from './meters.ts';
import type { Attributes } from './span.ts';
import { isOn } from './start.ts';
import { spanNow, spanOf, tell } from './trace.ts';

/** Each call is a span. */
export function spanned<Args extends readonly unknown[], Result>(
  name: string,
  work: (...args: Args) => Promise<Result>,
  about: (...args: Args) => Attributes = () => ({}),
): (...args: Args) => Promise<Result> {
  if (!isOn()) return work;
  return (...args) => spanOf(name, about(...args), () => work(...args));
}

/** As `spanned`, for a function that waits for nothing. */
export function spannedNow<Args extends readonly unknown[], Result>(
  name: string,
  work: (...args: Args) => Result,
): (...args: Args) => Result {
  if (!isOn()) return work;
  return (...args) => spanNow(name, () => work(...args));
}

/** A compiled policy, whose search for grants is a span. */
export function matching<Policy extends { options(...args: never[]): unknown }>(policy: Policy): Policy {
  return isOn() ? { ...policy, options: spannedNow('match', policy.options) } : policy;
}

/** Each call is counted. */
export function counted<Args extends readonly unknown[], Result>(
  count: Count,
  work: (...args: Args) => Result,
): (...args: Args) => Result {
  if (!isOn()) return work;
  return (...args) => {
    counts[count] += 1;
    return work(...args);
  };
}

/** A write of several records: how many share it. */
export function batched<Item, Result>(
  write: (items: readonly Item[]) => Promise<Result>,
): (items: readonly Item[]) => Promise<Result> {
  if (!isOn()) return write;
  return (items) => {
    measure(({ auditBatch }) => auditBatch.record(items.length));
    return write(items);
  };
}

/** The log, of which one line is also a measurement: when a revocation was in force. */
export function measuredLog<Fields extends Readonly<Record<string, unknown>>>(
  log: (event: string, fields?: Fields) => void,
): (event: string, fields?: Fields) => void {
  if (!isOn()) return log;
  return (event, fields) => {
    const tookMs = fields?.['timeToEffectMs'];
    if (event === 'revoked' && typeof tookMs === 'number') {
      measure(({ timeToEffect }) => timeToEffect.record(Math.max(0, tookMs) / 1000));
      tell({ 'broker.revocation.time_to_effect': tookMs / 1000 });
    }
    log(event, fields);
  };
}
