/** What the simulated services were asked, oldest first. Never a key or a token. */
import type { ServiceName } from './faults.ts';

export interface RequestEntry {
  readonly n: number;
  readonly atMs: number;
  /** `ai` is the data plane of the accounts. */
  readonly service: ServiceName | 'ai';
  readonly operation: string;
  readonly resource: string | undefined;
  readonly status: number;
  /** The client id of the caller. */
  readonly by: string | undefined;
  /** The first 16 hexadecimal digits of the SHA-256 of the account key used. */
  readonly keyFingerprint: string | undefined;
  /** The fault that struck this call. */
  readonly fault: string | undefined;
}

export interface RequestLog {
  add(entry: Omit<RequestEntry, 'n'>): void;
  /** Entries numbered above `n`, of one service if it is given. */
  after(n: number, service?: string): readonly RequestEntry[];
  readonly last: number;
}

/** Keeps the newest `capacity` entries. */
export function createRequestLog(capacity = 200_000): RequestLog {
  const ring: RequestEntry[] = [];
  let last = 0;
  return {
    add(entry) {
      last += 1;
      ring[last % capacity] = { n: last, ...entry };
    },
    after(n, service) {
      const found: RequestEntry[] = [];
      for (let i = Math.max(n, last - capacity) + 1; i <= last; i++) {
        const entry = ring[i % capacity];
        if (entry && (service === undefined || entry.service === service)) found.push(entry);
      }
      return found;
    },
    get last() {
      return last;
    },
  };
}
