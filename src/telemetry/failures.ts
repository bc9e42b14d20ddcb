/** Exports that failed: counted, and told once a minute. */
import type { Log } from '../ports.ts';

interface Result {
  readonly code: number;
  readonly error?: Error;
}
interface Exporter<Batch> {
  export(batch: Batch, done: (result: Result) => void): void;
}

/** The exporter, whose failures are counted. */
export function watched<Batch, One extends Exporter<Batch>>(
  exporter: One & Exporter<Batch>,
  failed: () => void,
): One {
  const send = exporter.export.bind(exporter);
  exporter.export = (batch, done) =>
    send(batch, (result) => {
      if (result.code !== 0) failed();
      done(result);
    });
  return exporter;
}

const TELL_EVERY_MS = 60_000;

/** A line a minute while the collector does not answer. What it answered is not told: it may hold anything. */
export function createFailures(log: Log): () => void {
  let failures = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    failures += 1;
    if (performance.now() - toldAtMs < TELL_EVERY_MS) return;
    toldAtMs = performance.now();
    log('telemetry_not_exported', { failures });
    failures = 0;
  };
}
