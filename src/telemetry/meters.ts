/** The metrics, under the names and units of OpenTelemetry. What labels them is counted: a code, a kind, an account. */
import type { Attributes, Counter, Histogram, Meter, ObservableResult } from '@opentelemetry/api';
import { accounts, observeAccounts } from './accounts.ts';
import { counts } from './counts.ts';

export interface Instruments {
  readonly exchange: Histogram;
  readonly upstream: Histogram;
  readonly auditBatch: Histogram;
  readonly timeToEffect: Histogram;
  readonly propagation: Histogram;
  readonly steps: Counter;
}

/** In seconds, as the semantic conventions have them for HTTP. */
const FAST = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const SLOW = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1_800];
const ROWS = [1, 2, 5, 10, 20, 50, 100, 200];

let instruments: Instruments | undefined;
/** What was measured before the SDK was loaded; undefined while telemetry is off. */
let waiting: ((instruments: Instruments) => void)[] | undefined;
const MAX_WAITING = 1_000;

/** From now on measurements are kept, until `openMeters` has somewhere to put them. */
export function awaitMeters(): void {
  waiting = [];
}

export function openMeters(meter: Meter): void {
  const opened = instrumentsOf(meter);
  instruments = opened;
  for (const record of waiting ?? []) record(opened);
  waiting = undefined;
}

export function closeMeters(): void {
  instruments = undefined;
  waiting = undefined;
}

/** Measures something; while telemetry is off, nothing. */
export function measure(record: (instruments: Instruments) => void): void {
  if (instruments !== undefined) record(instruments);
  else if (waiting !== undefined && waiting.length < MAX_WAITING) waiting.push(record);
}

function instrumentsOf(meter: Meter): Instruments {
  const seconds = (name: string, description: string, boundaries: number[]): Histogram =>
    meter.createHistogram(name, {
      description,
      unit: 's',
      advice: { explicitBucketBoundaries: boundaries },
    });
  const observed = (name: string, description: string, values: () => [number, Attributes][]): void =>
    meter.createObservableCounter(name, { description }).addCallback((result: ObservableResult) => {
      for (const [value, attributes] of values()) result.observe(value, attributes);
    });
  observed('broker.cache.lookups', 'Lookups of a cached token or a verified caller', () => [
    [counts.tokenLookups - counts.tokenMisses, { 'broker.cache': 'token', 'broker.cache.result': 'hit' }],
    [counts.tokenMisses, { 'broker.cache': 'token', 'broker.cache.result': 'miss' }],
    [counts.callerLookups - counts.callerMisses, { 'broker.cache': 'caller', 'broker.cache.result': 'hit' }],
    [counts.callerMisses, { 'broker.cache': 'caller', 'broker.cache.result': 'miss' }],
  ]);
  observed('broker.head.looks', 'Looks at the shared state', () => [[counts.headLooks, {}]]);
  observed('broker.head.reads', 'Reads of the head row: several looks share one', () => [
    [counts.headReads, {}],
  ]);
  observeAccounts(meter, accounts);
  return {
    exchange: seconds('broker.exchange.duration', 'Exchanges, by outcome, reason and kind of token', FAST),
    upstream: seconds('broker.upstream.duration', 'Calls of other services, with their retries', FAST),
    auditBatch: meter.createHistogram('broker.audit.batch.size', {
      description: 'Records that share one write of the audit',
      unit: '{record}',
      advice: { explicitBucketBoundaries: ROWS },
    }),
    timeToEffect: seconds(
      'broker.revocation.time_to_effect',
      'From the receipt of a revocation until it is in force',
      [...FAST, 30, 60, 300],
    ),
    propagation: seconds(
      'broker.key.propagation',
      'Until a regenerated key counts, or the one before is refused',
      SLOW,
    ),
    steps: meter.createCounter('broker.rotation.steps', { description: 'Steps of rotations, by account' }),
  };
}
