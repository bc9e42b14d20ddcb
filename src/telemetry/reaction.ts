import { traced } from './trace.ts';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/**
 * A reaction to an event, until what it changes is in force: a trace that is always kept. An event that names the
 * trace that it belongs to (the CloudEvents extension for distributed tracing) goes on in it.
 * @param uuid for a trace of its own
 */
export function reaction<T>(event: unknown, uuid: string, work: () => Promise<T>): Promise<T> {
  const named = (event as { traceparent?: unknown } | null | undefined)?.traceparent;
  const [, traceId = uuid.replaceAll('-', ''), callerSpanId] =
    TRACEPARENT.exec(typeof named === 'string' ? named : '') ?? [];
  return traced({ name: 'reaction', kind: 'consumer', traceId, callerSpanId }, work);
}

/** One run of a timer: a trace that is always kept. */
export function tick<T>(name: string, uuid: string, work: () => Promise<T>): Promise<T> {
  return traced({ name, kind: 'internal', traceId: uuid.replaceAll('-', '') }, work);
}
