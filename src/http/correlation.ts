/**
 * W3C trace context: the trace id of a valid `traceparent`, so that one id follows a call through all systems.
 * Version ff, and ids of nothing but zeros, are invalid.
 */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The host's own traceContext is empty without Application Insights, so the header itself is read. */
export function correlationId(headers: { get(name: string): string | null }): string {
  const traceId = TRACEPARENT.exec(headers.get('traceparent') ?? '')?.[1];
  return traceId ?? crypto.randomUUID().replaceAll('-', '');
}
