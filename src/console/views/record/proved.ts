/** What the entries of the proof say of a span. Pure. */
import type { ProofPage } from '../../wire.ts';

export function proved(entries: ProofPage['items']): { minutes: number; rows: number; late: number } {
  const sum = { minutes: entries.length, rows: 0, late: 0 };
  for (const { rows, late } of entries) {
    sum.rows += rows;
    for (const more of late) sum.late += more.rows;
  }
  return sum;
}

/** The end of `2026-11-26T01:20`, a minute of UTC. */
export const instantOf = (minute: string): string => `${minute}:00Z`;
