/** Switches telemetry on, where a deployment names a collector. The SDK is loaded a moment later, and only then. */
import type { Log } from '../ports.ts';
import { awaitMeters, closeMeters, openMeters } from './meters.ts';
import type { Span } from './span.ts';
import { recordTraces } from './trace.ts';

export interface TelemetryOptions {
  /** Of the collector; undefined: telemetry is off. */
  readonly endpoint: string | undefined;
  /** Of the traces that are neither slow nor failed: from 0 to 1. */
  readonly share: number;
  readonly service: string;
  readonly instance: string;
  readonly log: Log;
  /** Runs `work` after `ms`, and does not keep the process alive for it. */
  readonly later: (ms: number, work: () => void) => void;
}
export interface Telemetry {
  /** Sends what has not been sent, within a bound. For a process that is told to end. */
  readonly flush: () => Promise<void>;
}

/** The first request of a cold instance is answered before the SDK is read. */
const LOAD_AFTER_MS = 1_000;
const MAX_WAITING = 2_000;

let on = false;
export const isOn = (): boolean => on;

export function startTelemetry(options: TelemetryOptions): Telemetry {
  const { endpoint, share, log, later } = options;
  if (endpoint === undefined) return { flush: async () => undefined };
  on = true;
  awaitMeters();
  let waiting: Span[] | undefined = [];
  let emit = (span: Span): void => {
    if (waiting !== undefined && waiting.length < MAX_WAITING) waiting.push(span);
  };
  recordTraces({ share, emit: (span) => emit(span) });

  let opened: Promise<Telemetry> | undefined;
  const open = async (): Promise<Telemetry> => {
    const { openSdk } = await import('./sdk.ts');
    const sdk = openSdk({ ...options, endpoint });
    openMeters(sdk.meter);
    emit = sdk.emit;
    for (const span of waiting ?? []) emit(span);
    waiting = undefined;
    return sdk;
  };
  const load = (): Promise<Telemetry> => {
    opened ??= open();
    return opened;
  };
  later(LOAD_AFTER_MS, () => {
    load().catch((error: unknown) => {
      // The exchange goes on without telemetry, and the log says why there is none.
      log('telemetry_not_loaded', { problem: error instanceof Error ? error.message : String(error) });
      stopTelemetry();
    });
  });
  return { flush: async () => (await load()).flush() };
}

/** As if it had never been switched on. */
export function stopTelemetry(): void {
  on = false;
  recordTraces(undefined);
  closeMeters();
}
