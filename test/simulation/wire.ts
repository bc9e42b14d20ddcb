/** The way to the cloud, and what goes wrong on it. A process can die before and after every call. */
import { UpstreamFailure, type UpstreamService } from '../../src/upstream.ts';
import type { Process } from './process.ts';
import type { Chance } from './random.ts';
import type { Timeline } from './timeline.ts';

export interface Weather {
  /** How likely a call fails in some way; 0 once the weather is fine. */
  readonly trouble: number;
  /** In this phase of the first account's rotation it is four times as likely, elsewhere half as likely. */
  readonly stormyPhase: string | undefined;
  /** One operation that fails far more often than all others, so that rare meetings are not rare in every schedule. */
  readonly weak: string | undefined;
}
export const FAIR: Weather = { trouble: 0, stormyPhase: undefined, weak: undefined };

export interface Wire {
  weather: Weather;
  /** Of the first account's rotation: misfortunes are counted by it. */
  phase: string;
  readonly reached: Readonly<Record<string, Readonly<Record<string, number>>>>;
  count(misfortune: string): void;
  call<T>(
    process: Process,
    service: UpstreamService,
    operation: string,
    effect: (isLate: boolean) => T,
    changes?: boolean,
  ): Promise<T>;
}

/** A process may sleep for minutes anywhere … */
const MAX_PAUSE_MS = 600_000;
const TIMEOUT_MS = 3_000;
const WEAK = 0.35;

/** @param maxLeasedPauseMs … but between its last look at the lease and a change outside no longer than this */
export function createWire(
  chance: Chance,
  timeline: Timeline,
  note: (what: string) => void,
  maxLeasedPauseMs: number,
): Wire {
  const reached: Record<string, Record<string, number>> = {};
  const never = <T>(): Promise<T> => new Promise(() => undefined);
  /** All accounts are of one subscription, and Azure Resource Manager limits a whole subscription. */
  let throttledUntilMs = 0;

  const likelihood = (operation: string): number => {
    const { trouble, weak, stormyPhase } = wire.weather;
    if (operation === weak) return WEAK;
    if (stormyPhase === undefined) return trouble;
    return stormyPhase === wire.phase ? Math.min(0.3, 4 * trouble) : trouble / 2;
  };
  const count = (misfortune: string): void => {
    const counts = reached[wire.phase] ?? {};
    counts[misfortune] = (counts[misfortune] ?? 0) + 1;
    reached[wire.phase] = counts;
  };
  const dies = (process: Process, when: 'before' | 'after', operation: string): void => {
    count(`crash ${when} ${operation}`);
    note(`${process.name} dies just ${when} ${operation}`);
    process.dead = true;
  };

  const wire: Wire = {
    weather: FAIR,
    phase: 'not adopted',
    reached,
    count,
    call: async <T>(
      process: Process,
      service: UpstreamService,
      operation: string,
      effect: (isLate: boolean) => T,
      changes = false,
    ): Promise<T> => {
      if (process.dead) return never<T>();
      const diesOfWeakness = process.kind === 'rotator' && operation === wire.weather.weak && chance.is(0.4);
      const diesHere = (process.callsToLive >= 0 && process.callsToLive-- === 0) || diesOfWeakness;
      if (diesHere && chance.is(0.5)) {
        dies(process, 'before', operation);
        return never<T>();
      }
      const isSlow = process.isSlow && wire.weather.trouble > 0 && chance.is(0.25);
      await timeline.sleep(isSlow ? chance.between(15_000, 100_000) : chance.between(5, 250));
      if (process.dead) return never<T>();
      if (service === 'arm' && timeline.now() < throttledUntilMs) {
        count('subscription throttled');
        throw new UpstreamFailure(service, operation, 429, 7);
      }
      const fault = chance.is(likelihood(operation)) ? chance.pick(FAULTS) : undefined;
      if (fault !== undefined) {
        count(fault);
        note(`${process.name} ${operation}: ${FAULT_IN_WORDS[fault]}`);
      }
      if (fault === 'pause') {
        const isLeased = (service === 'keyvault' || service === 'arm') && changes;
        await timeline.sleep(chance.between(1_000, isLeased ? maxLeasedPauseMs : MAX_PAUSE_MS));
        if (process.dead) return never<T>();
      } else if (fault !== undefined) {
        if (fault === 'error') throw new UpstreamFailure(service, operation, 500);
        if (fault === 'throttled') {
          if (service === 'arm') throttledUntilMs = timeline.now() + chance.between(7_000, 60_000);
          throw new UpstreamFailure(service, operation, 429, 7);
        }
        if (fault === 'lost') effect(false);
        if (fault === 'late' && changes) {
          timeline.at(timeline.now() + chance.between(TIMEOUT_MS, 60_000), () => void effect(true));
        }
        await timeline.sleep(TIMEOUT_MS);
        if (process.dead) return never<T>();
        throw new UpstreamFailure(service, `${operation}: no answer in time`);
      }
      const result = effect(false);
      if (diesHere) {
        dies(process, 'after', operation);
        return never<T>();
      }
      return result;
    },
  };
  return wire;
}

const FAULT_IN_WORDS = {
  error: 'the service answers 500, and nothing was done',
  throttled: 'the service answers 429, and nothing was done',
  timeout: 'the request is lost, and there is no answer',
  lost: 'it is done, and the answer is lost',
  late: 'no answer in time, and it is done a little later all the same',
  pause: 'the process sleeps before it goes on',
} as const;
const FAULTS = ['error', 'throttled', 'timeout', 'lost', 'late', 'pause'] as const;
