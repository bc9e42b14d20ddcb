/**
 * A process of the local mode: one host, or Azurite. It follows the launcher's virtual clock, and
 * ends with the launcher, however that one ends.
 */
import { type ClockState, createClock, installVirtualDate, type VirtualClock } from './clock.ts';

/** An app may be loaded, with these settings. */
export interface SettingsOrder {
  readonly kind: 'settings';
  readonly settings: Readonly<Record<string, string>>;
  /** The URL of the host that runs the other app's functions by hand. */
  readonly elsewhere?: string | undefined;
}
/** From the launcher. */
export type Order =
  | SettingsOrder
  | { readonly kind: 'clock'; readonly id: number; readonly state: ClockState }
  | { readonly kind: 'stop' };
/** Where it listens. Azurite has one URL for its tables and one for its queues. */
export type Bound = readonly [url: string, queues?: string, blobs?: string];
/** To the launcher. */
export type Report =
  | { readonly kind: 'bound'; readonly urls: Bound }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'clock'; readonly id: number };

/** However its ending goes, the process is gone after this. */
const lastMs = 4500;

export interface Child {
  readonly clock: VirtualClock;
  report(report: Report): void;
  /** The settings, when the launcher has sent them. */
  readonly settings: Promise<SettingsOrder>;
}

/** @param stop what to do before the process ends, when the launcher says so or is gone. */
export function beChild(stop: () => Promise<void>): Child {
  const clock = createClock(JSON.parse(process.argv[3] ?? '') as ClockState);
  installVirtualDate(clock);

  let stopping = false;
  const end = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), lastMs).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  const report = (message: Report) => {
    if (process.connected) process.send?.(message);
  };
  // Ctrl-C and a closed terminal go to the whole group, and the launcher decides.
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  process.on('SIGTERM', end);
  process.on('disconnect', end);

  const settings = new Promise<SettingsOrder>((resolve) => {
    process.on('message', (order: Order) => {
      switch (order.kind) {
        case 'settings':
          return resolve(order);
        case 'clock':
          clock.apply(order.state);
          return report({ kind: 'clock', id: order.id });
        case 'stop':
          return end();
      }
    });
  });
  return { clock, report, settings };
}
