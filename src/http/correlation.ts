import { uuid7 } from '../uuid7.ts';

/**
 * A valid `traceparent` (W3C Trace Context). Its trace id becomes the correlation id, so that a call can be followed
 * through all systems. Version ff, and an id that is all zeros, are invalid.
 */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;
/** A UUID of version 7 without its hyphens (RFC 9562 section 5.7): the first 48 bits are milliseconds. */
const CARRIES_TIME = /^([0-9a-f]{12})7[0-9a-f]{3}[89ab][0-9a-f]{15}$/;
/** An id of another maker that looks like one of ours has any time. Nothing older is in the audit of this product. */
const FIRST_MS = Date.UTC(2026, 0, 1);

/** The header is read here, because the host's own `traceContext` is empty without Application Insights. */
export function correlationId(headers: { get(name: string): string | null }, nowMs: number): string {
  const traceparent = headers.get('traceparent');
  const traceId = traceparent === null ? undefined : TRACEPARENT.exec(traceparent)?.[1];
  return traceId ?? timedId(nowMs);
}

/** The caller's span, where a valid `traceparent` names one. */
export function callerSpanId(headers: { get(name: string): string | null }): string | undefined {
  return TRACEPARENT.exec(headers.get('traceparent') ?? '')?.[2];
}

/** An id that carries its time, so that the audit record with it is found without reading a day. */
const timedId = (nowMs: number): string => uuid7(nowMs).replaceAll('-', '');

/** When the broker made this id; undefined for an id that came from outside. */
export function madeAtMs(id: string, nowMs: number): number | undefined {
  const atMs = Number.parseInt(CARRIES_TIME.exec(id)?.[1] ?? '', 16);
  return atMs >= FIRST_MS && atMs <= nowMs + 60_000 ? atMs : undefined;
}
