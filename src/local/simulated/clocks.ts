/** Clocks that are off: every simulated service and every process of the local mode has one of its own. */
import type { Clock } from '../../ports.ts';
import { type ServiceName, serviceNames } from './faults.ts';
import type { StorageService } from './storage-operation.ts';

/** The clocks of processes: of the tables, and of the broker's instances. */
export interface ProcessClocks {
  /** What they are called, for whoever misspelt one. */
  readonly names: readonly string[];
  /** Resolves when it is in force there. False: there is no process of this name. */
  setOffset(name: string, offsetMs: number): Promise<boolean>;
}

export interface Clocks {
  of(service: ServiceName): Clock;
  /** From now on this clock differs from virtual time by `offsetMs`; 0: no longer. False: there is none such. */
  setOffset(name: string, offsetMs: number): Promise<boolean>;
  readonly names: readonly string[];
}

/** Azurite writes the times of what is stored, in a process of its own. */
type InThisProcess = Exclude<ServiceName, StorageService>;
const isStorage = (name: string): name is StorageService => ['tables', 'queues', 'blobs'].includes(name);
const isHere = (name: string): name is InThisProcess =>
  !isStorage(name) && serviceNames.some((service) => service === name);

export function createClocks(now: Clock, processes: ProcessClocks): Clocks {
  const offsets = new Map<ServiceName, number>();
  return {
    of: (service) => () => now() + (offsets.get(service) ?? 0),
    async setOffset(name, offsetMs) {
      if (!isHere(name)) return processes.setOffset(name, offsetMs);
      offsets.set(name, offsetMs);
      return true;
    },
    get names() {
      return [...serviceNames.filter(isHere), ...processes.names];
    },
  };
}
