/** Instants on the command line: RFC 3339, or so long ago as `2h`, `7d`, `90min`. */
import { CommandFailure } from './failure.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export function readInstant(given: string, nowMs: number, option: string): string {
  const [, count, unit] = /^(\d{1,5})\s?(s|min|m|h|d)$/.exec(given) ?? [];
  if (count !== undefined) return new Date(nowMs - Number(count) * (UNIT_MS[unit ?? ''] ?? 0)).toISOString();
  if (given === 'now') return new Date(nowMs).toISOString();
  const ms = /^\d{4}-\d\d-\d\d/.test(given) ? Date.parse(given) : Number.NaN;
  if (Number.isNaN(ms))
    throw new CommandFailure(
      'usage',
      `--${option} is no time: ${given.slice(0, 40)}`,
      'Say 2026-11-27T09:00:00Z, or so long ago: 2h, 7d.',
    );
  return new Date(ms).toISOString();
}
