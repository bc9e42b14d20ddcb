/**
 * Virtual time: the clock on the wall, run faster or jumped forward, the same in every process of the local
 * mode. It stands in for `Date` itself, so that the Azure SDKs, jose and MSAL follow; `performance.now` and
 * `setTimeout`, by which network timeouts are measured, do not.
 */

/** From the wall time `wallMs` on, virtual time is `virtualMs` and runs `speed` times as fast. */
export interface ClockState {
  readonly wallMs: number;
  readonly virtualMs: number;
  readonly speed: number;
}

export interface VirtualClock {
  /** Virtual milliseconds since the epoch. */
  now(): number;
  /** The latest state, which may begin a moment from now. */
  state(): ClockState;
  /** Takes over a state; one that begins later is in force from then on, in all processes at the same instant. */
  apply(state: ClockState): void;
  /** Resolves when virtual time has reached `virtualMs`, however it gets there, or when the signal is aborted. */
  sleepUntil(virtualMs: number, signal: AbortSignal): Promise<void>;
}

const RealDate = Date;
/** The clock on the wall, also where `Date` is virtual. */
export const wallNow = RealDate.now;
/** The longest that `setTimeout` can wait. */
const maxTimeoutMs = 2 ** 31 - 1;

export function createClock(initial?: ClockState): VirtualClock {
  let current = initial ?? { wallMs: 0, virtualMs: 0, speed: 1 };
  let next: ClockState | undefined;
  const changed = new Set<() => void>();

  const at = ({ wallMs, virtualMs, speed }: ClockState, wall: number) =>
    Math.floor(virtualMs + (wall - wallMs) * speed);
  const now = () => {
    const wall = wallNow();
    if (next && wall >= next.wallMs) {
      current = next;
      next = undefined;
    }
    return at(current, wall);
  };

  return {
    now,
    state: () => next ?? current,
    apply(state) {
      next = state;
      const begin = () => {
        // A timeout can fire a millisecond early; sleepers that looked then would see the old time.
        const leftMs = state.wallMs - wallNow();
        if (leftMs > 0) return void setTimeout(begin, leftMs).unref();
        for (const wake of [...changed]) wake();
      };
      setTimeout(begin, Math.max(0, state.wallMs - wallNow())).unref();
    },
    sleepUntil(virtualMs, signal) {
      return new Promise((resolve) => {
        let timer: NodeJS.Timeout | undefined;
        const done = () => {
          clearTimeout(timer);
          changed.delete(arm);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const arm = () => {
          clearTimeout(timer);
          const leftMs = virtualMs - now();
          if (leftMs <= 0 || signal.aborted) return done();
          timer = setTimeout(arm, Math.min(Math.ceil(leftMs / current.speed), maxTimeoutMs));
        };
        changed.add(arm);
        signal.addEventListener('abort', done);
        arm();
      });
    },
  };
}

/** The state that follows: `advanceMs` further, at `speed`, from the wall time `wallMs` on. */
export function nextState(
  { virtualMs, wallMs, speed }: ClockState,
  change: { advanceMs?: number; speed?: number },
  fromWallMs: number,
): ClockState {
  return {
    wallMs: fromWallMs,
    virtualMs: virtualMs + (fromWallMs - wallMs) * speed + (change.advanceMs ?? 0),
    speed: change.speed ?? speed,
  };
}

/** Makes `Date` of this process follow the clock. Dates made elsewhere remain instances of it. */
export function installVirtualDate(clock: VirtualClock): void {
  function VirtualDate(...args: unknown[]): Date | string {
    if (!new.target) return new RealDate(clock.now()).toString();
    return Reflect.construct(RealDate, args.length === 0 ? [clock.now()] : args, new.target);
  }
  Object.setPrototypeOf(VirtualDate, RealDate);
  Object.defineProperties(VirtualDate, {
    now: { value: clock.now, writable: true, configurable: true },
    name: { value: 'Date' },
    length: { value: 7 },
    prototype: { value: RealDate.prototype },
  });
  RealDate.prototype.constructor = VirtualDate;
  globalThis.Date = VirtualDate as unknown as DateConstructor;
}
