/**
 * What the log says of exchanges. On a quiet instance each has a line; on a busy one as many as fit into a bound, and
 * a line a minute counts the rest, so that lines and counts together are all exchanges (infra/alerts.json adds them up). Without the bound the log is most of what the broker costs, and a flood of
 * refused requests is paid for. The audit does not depend on it: there, each exchange of a verified caller is a record.
 */
import type { Log } from '../ports.ts';

export type Outcome = 'granted' | 'refused' | 'unavailable';

/** So many lines at once, after a quiet minute, and then this many a second. */
export const MAX_LINES = 60;
const LINES_PER_SECOND = 1;
const COUNT_EVERY_MS = 60_000;
/** The objective for the latency of an exchange: 99 of 100 take no longer. */
export const SLOW_MS = 1_000;

export interface ExchangeLogPorts {
  readonly log: Log;
  /** Milliseconds that only grow. */
  readonly nowMs: () => number;
  /** Runs `work` after `ms` of wall time, and does not keep the process alive for it. */
  readonly later: (ms: number, work: () => void) => void;
}

export type ExchangeLog = (
  outcome: Outcome,
  tookMs: number,
  fields: Readonly<Record<string, string | undefined>>,
) => void;

interface Counted {
  readonly outcomes: Record<Outcome, number>;
  slow: number;
  sumMs: number;
  maxMs: number;
}

export function createExchangeLog({ log, nowMs, later }: ExchangeLogPorts): ExchangeLog {
  let left = MAX_LINES;
  let filledAtMs = nowMs();
  let counted: Counted | undefined;

  const hasRoom = (): boolean => {
    const atMs = nowMs();
    left = Math.min(MAX_LINES, left + ((atMs - filledAtMs) / 1000) * LINES_PER_SECOND);
    filledAtMs = atMs;
    if (left < 1) return false;
    left -= 1;
    return true;
  };

  const tell = (): void => {
    if (counted === undefined) return;
    const { outcomes, slow, sumMs, maxMs } = counted;
    counted = undefined;
    const unlogged = outcomes.granted + outcomes.refused + outcomes.unavailable;
    log('exchanges', { ...outcomes, slow, unlogged, meanMs: tenths(sumMs / unlogged), maxMs: tenths(maxMs) });
  };

  return (outcome, tookMs, fields) => {
    if (hasRoom()) return log('exchange', { outcome, ...fields, ms: tenths(tookMs) });
    if (counted === undefined) {
      counted = { outcomes: { granted: 0, refused: 0, unavailable: 0 }, slow: 0, sumMs: 0, maxMs: 0 };
      later(COUNT_EVERY_MS, tell);
    }
    counted.outcomes[outcome] += 1;
    if (tookMs > SLOW_MS) counted.slow += 1;
    counted.sumMs += tookMs;
    counted.maxMs = Math.max(counted.maxMs, tookMs);
  };
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10;
