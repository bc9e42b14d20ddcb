/** NCRONTAB as timers use it: five or six fields, or a time span; always UTC. */
import { type Ncrontab, parseNcrontab } from '../../ncrontab.ts';
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
  const parsed = parseNcrontab(expression);
  if ('kind' in parsed) throw new Error(`'${expression}' is no schedule: ${parsed.problem}`);
  return (afterMs) => {
    const found = nextOccurrence(parsed, afterMs);
    if (found === undefined) throw new Error(`'${expression}' never occurs`);
    return found;
  };
}

const DAY_MS = 86_400_000;
/** The 29th of February falls on every weekday within 40 years, also where a century has none. */
const MAX_DAYS = 40 * 366;

/** In UTC. A date must be of the days, the months and the weekdays; the classic cron means days or weekdays. */
function nextOccurrence({ fields }: Ncrontab, afterMs: number): number | undefined {
  const [seconds = [], minutes = [], hours = [], days = [], months = [], weekdays = []] = fields;
  const firstDayMs = Math.floor(afterMs / DAY_MS) * DAY_MS;
  for (let dayMs = firstDayMs; dayMs < firstDayMs + MAX_DAYS * DAY_MS; dayMs += DAY_MS) {
    const date = new Date(dayMs);
    if (!months.includes(date.getUTCMonth() + 1) || !days.includes(date.getUTCDate())) continue;
    if (!weekdays.includes(date.getUTCDay())) continue;
    for (const hour of hours)
      for (const minute of minutes) {
        const minuteMs = dayMs + (hour * 60 + minute) * 60_000;
        const second = seconds.find((candidate) => minuteMs + candidate * 1000 > afterMs);
        if (second !== undefined) return minuteMs + second * 1000;
      }
  }
  return undefined;
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
