/**
 * Refusals of callers who were not verified. Anybody can cause them at any rate, so they are not written one by one.
 * They are counted by reason, and every ten seconds one record for each reason goes into the audit, with a few of them
 * as samples: the first ones, and more where another resource was asked for. A process that dies loses what it has
 * counted and not yet written. The log has a line for each refusal while there are few (src/http/exchange-log.ts).
 */
import { iso } from '../iso.ts';
import type { AuditLog, AuditRecord, Clock, Log, RefusalSample } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';

export interface Strangers {
  /** Returns at once and never fails, so that the caller's answer does not depend on it. */
  refused(reason: string, correlationId: string, resource?: string): void;
}

export interface StrangersPorts extends AuditLog {
  readonly clock: Clock;
  readonly instance: string;
  /** Runs `work` after `ms` of wall time. */
  readonly later: (ms: number, work: () => void) => void;
  readonly log: Log;
}

const WRITE_EVERY_MS = 10_000;
/** Reasons are chosen by this code, and there are some thirty. */
const MAX_REASONS = 64;
const MAX_FIRST_SAMPLES = 5;
/** Together with the first ones. All records of a row of the audit are bounded by it (audit.ts). */
const MAX_SAMPLES = 10;

interface Counted {
  readonly at: string;
  readonly samples: RefusalSample[];
  count: number;
}

export function createStrangers({ append, clock, instance, later, log }: StrangersPorts): Strangers {
  let counted = new Map<string, Counted>();

  async function write(): Promise<void> {
    const records = [...counted].map(([reason, { at, samples, count }]): AuditRecord => {
      const correlationId = samples[0]?.correlationId ?? '';
      return { at, correlationId, outcome: 'refused', instance, reason, count, samples };
    });
    counted = new Map();
    try {
      await Promise.all(records.map(append));
    } catch (error) {
      // A bug is logged too and not thrown. Nobody awaits this timer, and a rejection that nobody handles ends the
      // process in the Functions host, with all requests in flight.
      const reason = error instanceof UpstreamFailure ? error.message : (error as Error).stack;
      const count = records.reduce((sum, record) => sum + (record.count ?? 0), 0);
      log('refusals_not_recorded', { reason, count });
    }
  }

  return {
    refused: (reason, correlationId, resource) => {
      if (counted.size === 0) later(WRITE_EVERY_MS, () => void write());
      const known = counted.has(reason) || counted.size < MAX_REASONS;
      const under = known ? reason : 'others';
      const entry = counted.get(under) ?? { at: iso(clock()), samples: [], count: 0 };
      entry.count += 1;
      if (isWorthKeeping(entry.samples, resource))
        entry.samples.push({ correlationId, ...(resource === undefined ? {} : { resource }) });
      counted.set(under, entry);
    },
  };
}

function isWorthKeeping(samples: readonly RefusalSample[], resource: string | undefined): boolean {
  if (samples.length < MAX_FIRST_SAMPLES) return true;
  const isNew = resource !== undefined && !samples.some((sample) => sample.resource === resource);
  return isNew && samples.length < MAX_SAMPLES;
}
