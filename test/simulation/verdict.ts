/** What was found wrong, and what happened until then. */
import { UpstreamFailure } from '../../src/upstream.ts';
import type { Timeline } from './timeline.ts';

export interface Violation {
  readonly invariant: string;
  readonly what: string;
}

export interface Verdict {
  readonly violations: readonly Violation[];
  /** Violations come in floods: the first few tell. */
  isOver(): boolean;
  violated(invariant: string, what: string): void;
  note(what: string): void;
  /** Of every text that is kept or printed. */
  noKeyIn(text: string): void;
  /** Of a driver or an exchange: nothing but an outage may come out of it. */
  outageOnly(error: unknown): void;
}

const MAX_VIOLATIONS = 5;

export function createVerdict(timeline: Timeline, trace: ((line: string) => void) | undefined): Verdict {
  const violations: Violation[] = [];
  const note = (what: string): void => trace?.(`${timeOfDay(timeline.now())} ${what}`);
  const violated = (invariant: string, what: string): void => {
    note(`VIOLATED ${invariant}: ${what}`);
    violations.push({ invariant, what });
  };
  return {
    violations,
    isOver: () => violations.length >= MAX_VIOLATIONS,
    violated,
    note,
    noKeyIn: (text) => {
      if (text.includes('account-key-')) violated('8 no key in a text', text.slice(0, 60));
    },
    outageOnly: (error) => {
      if (error instanceof UpstreamFailure) return;
      violated('7 outage is no decision', String(error instanceof Error ? error.stack : error));
    },
  };
}

/** Schedules begin at midnight: a later day shows by its number of hours. */
function timeOfDay(ms: number): string {
  const hours = Math.floor((ms - START_MS) / 3_600_000);
  return `${String(hours).padStart(2, '0')}${new Date(ms).toISOString().slice(13, 23)}`;
}

export const START_MS = Date.UTC(2026, 0, 1);
