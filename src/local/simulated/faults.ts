/** Bad luck on request: what is wrong with which simulated service at the moment. */
import * as z from 'zod';

export const serviceNames = [
  'entra',
  'identity',
  'keyvault',
  'arm',
  'sts',
  'tables',
  'queues',
  'blobs',
  'graph',
] as const;
export type ServiceName = (typeof serviceNames)[number];

const aim = {
  /** The part of the calls it strikes, from 0 to 1. */
  share: z.number().gt(0).lte(1).optional(),
  /** Strikes only these calls, named as in the request log; `GetEntity` strikes `GetEntity state` too. */
  operation: z.string().min(1).optional(),
};

export const faultSchema = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('down'), ...aim }),
  /** Wall time: a slow network does not know of virtual time. */
  z.strictObject({ mode: z.literal('slow'), delayMs: z.int().min(0).max(600_000), ...aim }),
  z.strictObject({ mode: z.literal('garbage'), ...aim }),
  z.strictObject({
    mode: z.literal('status'),
    status: z.int().min(400).max(599),
    retryAfterSeconds: z.int().min(0).max(86_400).optional(),
    ...aim,
  }),
  z.strictObject({ mode: z.literal('lost'), ...aim }),
  /** Key Vault only: what is read is as it was `lagMs` ago, as from a replica that lags. Wall time too. */
  z.strictObject({ mode: z.literal('stale'), lagMs: z.int().min(1).max(600_000), ...aim }),
]);
export type Fault = z.infer<typeof faultSchema>;

export interface Faults {
  set(service: ServiceName, fault: Fault): void;
  /** Ends one service's fault, or all of them. */
  clear(service?: ServiceName): void;
  /** The fault that strikes this call, if any. */
  strike(service: ServiceName | 'ai', operation: string): Fault | undefined;
  /** True while nobody can connect to the service at all. */
  unreachable(service: ServiceName): boolean;
}

export function createFaults(random: () => number = Math.random): Faults {
  const faults = new Map<string, Fault>();
  return {
    set: (service, fault) => void faults.set(service, fault),
    clear: (service) => void (service === undefined ? faults.clear() : faults.delete(service)),
    strike(service, operation) {
      const fault = faults.get(service);
      if (!fault) return undefined;
      if (fault.operation !== undefined && !isNamed(operation, fault.operation)) return undefined;
      return fault.share === undefined || random() < fault.share ? fault : undefined;
    },
    unreachable(service) {
      const fault = faults.get(service);
      return fault?.mode === 'down' && fault.share === undefined && fault.operation === undefined;
    },
  };
}

function isNamed(operation: string, wanted: string): boolean {
  return operation === wanted || operation.startsWith(`${wanted} `);
}
