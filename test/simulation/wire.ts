/** The way to the cloud, and what goes wrong on it. A process can die before and after every call. */
import { UpstreamFailure, type UpstreamService } from '../../src/upstream.ts';
import type { Chance } from './random.ts';
import type { Timeline } from './timeline.ts';

/** One running process: its clock is off, and it may die. */
export interface Process {
  readonly kind: 'rotator' | 'exchange';
  readonly name: string;
  readonly clock: () => number;
  /** Every fourth of its calls takes very long. */
  readonly isSlow: boolean;
  /** It may read a copy of the vault that is so much behind. */
  readonly readsLateMs: number;
  dead: boolean;
  /** Dies at this call from now, counted down; negative: lives on. */
  callsToLive: number;
}

export interface Wire {
  /** How likely a call fails in some way; 0 once the weather is fine. */
  trouble: number;
  /** One operation that fails far more often than all others, so that rare meetings are not rare in every schedule. */
  weak: string | undefined;
  readonly faults: Readonly<Record<string, number>>;
  count(fault: string): void;
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
/** … but between its last look at the lease and a change outside no longer than the lease's margin: lease.ts. */
const MARGIN_MS = 45_000;
const TIMEOUT_MS = 3_000;
const WEAK = 0.35;

export function createWire(chance: Chance, timeline: Timeline): Wire {
  const faults: Record<string, number> = {};
  const count = (fault: string): void => {
    faults[fault] = (faults[fault] ?? 0) + 1;
  };
  const never = <T>(): Promise<T> => new Promise(() => undefined);

  const wire: Wire = {
    trouble: 0,
    weak: undefined,
    faults,
    count,
    call: async <T>(
      process: Process,
      service: UpstreamService,
      operation: string,
      effect: (isLate: boolean) => T,
      changes = false,
    ): Promise<T> => {
      if (process.dead) return never<T>();
      const diesHere = process.kind === 'rotator' && operation === wire.weak && chance.is(0.4);
      const dies = (process.callsToLive >= 0 && process.callsToLive-- === 0) || diesHere;
      if (dies && chance.is(0.5)) {
        count(`crash before ${operation}`);
        process.dead = true;
        return never<T>();
      }
      const isSlow = process.isSlow && chance.is(0.25);
      await timeline.sleep(isSlow ? chance.between(15_000, 100_000) : chance.between(5, 250));
      if (process.dead) return never<T>();
      const fault = chance.is(operation === wire.weak ? WEAK : wire.trouble)
        ? chance.pick(['error', 'throttled', 'timeout', 'lost', 'late', 'pause'])
        : undefined;
      if (fault === 'pause') {
        count('pause');
        await timeline.sleep(chance.between(1_000, isOutside(service) && changes ? MARGIN_MS : MAX_PAUSE_MS));
        if (process.dead) return never<T>();
      } else if (fault !== undefined) {
        count(fault);
        if (fault === 'error') throw new UpstreamFailure(service, operation, 500);
        if (fault === 'throttled') throw new UpstreamFailure(service, operation, 429, 7);
        if (fault === 'lost') effect(false);
        // The caller gives up, and the work is done all the same, a little later.
        if (fault === 'late' && changes) {
          timeline.at(timeline.now() + chance.between(TIMEOUT_MS, 60_000), () => void effect(true));
        }
        await timeline.sleep(TIMEOUT_MS);
        if (process.dead) return never<T>();
        throw new UpstreamFailure(service, `${operation}: no answer in time`);
      }
      const result = effect(false);
      if (dies) {
        count(`crash after ${operation}`);
        process.dead = true;
        return never<T>();
      }
      return result;
    },
  };
  return wire;
}

function isOutside(service: UpstreamService): boolean {
  return service === 'keyvault' || service === 'arm';
}
