/**
 * A valid `traceparent` (W3C Trace Context). Its trace id becomes the correlation id, so that a call can be followed
 * through all systems. Version ff, and an id that is all zeros, are invalid.
 */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The header is read here, because the host's own `traceContext` is empty without Application Insights. */
export function correlationId(headers: { get(name: string): string | null }): string {
  const traceId = TRACEPARENT.exec(headers.get('traceparent') ?? '')?.[1];
  return traceId ?? crypto.randomUUID().replaceAll('-', '');
}
