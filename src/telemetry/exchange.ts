/** What the token endpoint tells of an exchange: its trace, and the one histogram of outcomes. */
import { measure } from './meters.ts';
import type { Root } from './span.ts';
import { isOn } from './start.ts';
import { tell, traced } from './trace.ts';

/** How an exchange ended. `error`: the kind of the denial, or the service that is down. */
export interface Ended {
  readonly outcome: 'granted' | 'refused' | 'unavailable';
  readonly resource?: string;
  readonly kind?: string;
  readonly error?: string;
}

/** @param root without its name and kind */
export function exchangeTrace<T>(
  root: Pick<Root, 'traceId' | 'callerSpanId' | 'slowMs'>,
  work: () => Promise<T>,
) {
  return traced({ ...root, name: 'POST /oauth2/token', kind: 'server' }, work);
}

/** An exchange that was refused has an answer; only one that has none counts as failed, and is kept. */
export function exchangeEnded({ outcome, resource, kind, error }: Ended, tookMs: number): void {
  if (!isOn()) return;
  const labels = {
    'broker.outcome': outcome,
    ...(kind !== undefined && { 'broker.token_kind': kind }),
    ...(error !== undefined && { 'error.type': error }),
  };
  measure(({ exchange }) => exchange.record(tookMs / 1000, labels));
  tell({ ...labels, 'broker.resource': resource }, outcome === 'unavailable' ? error : undefined);
}
