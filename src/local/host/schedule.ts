/** NCRONTAB as timers use it: five or six fields, or a time span; always UTC. */
import { Cron } from 'croner';
import { timeSpanMs } from './app.ts';

export interface Schedule {
  /** The first occurrence after `afterMs`. */
  next(afterMs: number): number;
  /** Some two occurrences are less than a minute apart, so the host keeps no status. */
  readonly underAMinute: boolean;
}

/**
 * @param text an expression, or `%SETTING%` that names one
 * @throws Error where it cannot be understood.
 */
export function parseSchedule(
  text: string,
  settings: Readonly<Record<string, string | undefined>>,
): Schedule {
  const expression = text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (value === undefined) throw new Error(`'%${name}%' does not resolve to a value`);
    return value;
  });
  const next = interval(expression) ?? cron(expression);
  return { next, underAMinute: hasShortGap(next) };
}

function interval(expression: string): Schedule['next'] | undefined {
  const everyMs = timeSpanMs(expression);
  if (everyMs === undefined || everyMs === 0) return undefined;
  return (afterMs) => afterMs + everyMs;
}

function cron(expression: string): Schedule['next'] {
  const parsed = new Cron(expression, {
    paused: true,
    mode: '5-or-6-parts',
    timezone: 'UTC',
    // Both must hold where both are given; the classic cron means either.
    domAndDow: true,
  });
  return (afterMs) => {
    const found = parsed.nextRun(new Date(afterMs));
    if (!found) throw new Error(`'${expression}' never occurs`);
    return found.getTime();
  };
}

function hasShortGap(next: Schedule['next']): boolean {
  let at = next(Date.UTC(2026, 0, 1));
  for (let i = 0; i < 5; i++) {
    const following = next(at);
    if (following - at < 60_000) return true;
    at = following;
  }
  return false;
}
