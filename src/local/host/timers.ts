/** Timer triggers, in virtual time. A run is never overlapped, and a failed one does not come again before its next tick. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import type { TypedData } from './core.ts';
import { type HostedFunction, invoke, type Runtime } from './invoke.ts';
import { failed } from './listener.ts';
import { parseSchedule, type Schedule } from './schedule.ts';

const status = z.object({ last: z.number().nullable(), next: z.number(), lastUpdated: z.number() });
/** Milliseconds since the epoch; `last` is null before the first run. */
type Status = z.infer<typeof status>;

export interface TimerOptions {
  readonly runtime: Runtime;
  readonly now: () => number;
  readonly sleepUntil: (ms: number, signal: AbortSignal) => Promise<void>;
  /** The file that stands for the status blobs; undefined keeps them in memory. */
  readonly stateFile: string | undefined;
}
export interface Timers {
  readonly errors: readonly { readonly name: string; readonly error: string }[];
  /** The argument of a run by hand. */
  argument(name: string): TypedData;
  /** Waits for the runs under way. */
  stop(): Promise<void>;
}

interface Armed {
  readonly fn: HostedFunction;
  readonly schedule: Schedule;
  readonly monitored: boolean;
}

/** `run` false: this instance knows the timers and may run them by hand, but another holds the lease. */
export function startTimers(
  functions: readonly HostedFunction[],
  run: boolean,
  options: TimerOptions,
): Timers {
  const { runtime, now } = options;
  const errors: { name: string; error: string }[] = [];
  const armed = new Map<string, Armed>();
  const stopping = new AbortController();
  const statuses = new Map(Object.entries(readStatuses(options.stateFile)));

  for (const fn of functions) {
    if (fn.type.toLowerCase() !== 'timertrigger') continue;
    try {
      const schedule = parseSchedule(String(fn.trigger['schedule']), process.env);
      const monitored = fn.trigger['useMonitor'] !== false && !schedule.underAMinute;
      armed.set(fn.name, { fn, schedule, monitored });
    } catch (error) {
      errors.push({ name: fn.name, error: error instanceof Error ? error.message : String(error) });
    }
  }

  function keep(name: string, value: Status): void {
    statuses.set(name, value);
    if (options.stateFile === undefined) return;
    // Written beside and renamed, so that a kill leaves the old or the new, never a half.
    writeFileSync(`${options.stateFile}.new`, JSON.stringify(Object.fromEntries(statuses)));
    renameSync(`${options.stateFile}.new`, options.stateFile);
  }

  function argument({ fn, monitored }: Armed, isPastDue: boolean): TypedData {
    const kept = monitored ? statuses.get(fn.name) : undefined;
    const scheduleStatus = kept && {
      Last: kept.last === null ? '0001-01-01T00:00:00+00:00' : dotnetTime(kept.last),
      Next: dotnetTime(kept.next),
      LastUpdated: dotnetTime(kept.lastUpdated),
    };
    return {
      json: JSON.stringify({
        Schedule: { AdjustForDST: true },
        ScheduleStatus: scheduleStatus ?? null,
        IsPastDue: isPastDue,
      }),
    };
  }

  async function fire(timer: Armed, isPastDue: boolean): Promise<void> {
    const { fn, schedule, monitored } = timer;
    const firedAt = now();
    runtime.log(`Executing 'Functions.${fn.name}' (Reason='Timer fired at ${dotnetTime(firedAt)}')`);
    try {
      await invoke(runtime, fn, argument(timer, isPastDue));
      runtime.log(`Executed 'Functions.${fn.name}' (Succeeded, Duration=${now() - firedAt}ms)`);
    } catch (error) {
      runtime.log(failed(fn.name, error));
    }
    if (monitored) keep(fn.name, { last: firedAt, next: schedule.next(firedAt), lastUpdated: firedAt });
  }

  async function loop(timer: Armed): Promise<void> {
    const { fn, schedule, monitored } = timer;
    const { pastDue } = monitored ? onStart(timer, statuses.get(fn.name), now(), keep) : { pastDue: false };
    if (pastDue) await fire(timer, true);
    else if (fn.trigger['runOnStartup'] === true) await fire(timer, false);
    while (!stopping.signal.aborted) {
      await options.sleepUntil(schedule.next(now()), stopping.signal);
      if (!stopping.signal.aborted) await fire(timer, false);
    }
  }

  const loops = run ? [...armed.values()].map(loop) : [];
  return {
    errors,
    argument(name) {
      const timer = armed.get(name);
      return timer ? argument(timer, false) : {};
    },
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

/** Past due: the kept schedule still holds and its next occurrence went by while nothing ran. */
function onStart(
  { fn, schedule }: Armed,
  kept: Status | undefined,
  nowMs: number,
  keep: (name: string, value: Status) => void,
): { pastDue: boolean } {
  if (kept && kept.next === schedule.next(kept.last ?? kept.lastUpdated))
    return { pastDue: nowMs > kept.next };
  keep(fn.name, { last: kept?.last ?? null, next: schedule.next(nowMs), lastUpdated: nowMs });
  return { pastDue: false };
}

function readStatuses(file: string | undefined): Record<string, Status> {
  if (file === undefined) return {};
  try {
    return z.record(z.string(), status).parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}

/** `2026-11-22T05:54:00.003+00:00`: no zeros at the end of the fraction, no fraction where it is zero. */
export function dotnetTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, '+00:00');
}
