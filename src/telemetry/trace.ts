/**
 * The spans of what is under way. A span is a small record until its trace is over, because only then is it known
 * whether the trace was slow or failed: those are kept, and of the others a share. Only spans that are kept become
 * spans of OpenTelemetry (emit.ts), so what is not kept costs a few microseconds. While telemetry is off there are no
 * records at all.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { errorType } from './error-type.ts';
import {
  type Attributes,
  begin,
  idOf,
  type Kind,
  type Recording,
  type Root,
  type Span,
  type Trace,
} from './span.ts';

/** A tick over a thousand accounts makes more spans than anybody reads. */
const MAX_SPANS = 500;

let recording: Recording | undefined;
const current = new AsyncLocalStorage<Span>();

export function recordTraces(next: Recording | undefined): void {
  recording = next;
}

/** Runs `work` as a trace of its own. */
export async function traced<T>(root: Root, work: () => Promise<T>): Promise<T> {
  if (recording === undefined) return work();
  const { share, emit } = recording;
  const { traceId: id, callerSpanId, slowMs = 0 } = root;
  const epochMs = Date.now() - performance.now();
  const trace: Trace = { id, callerSpanId, epochMs, ended: [], begun: 0, fate: 'open' };
  const span = begin(trace, undefined, root.name, {}, root.kind);
  try {
    return await within(span, work);
  } finally {
    const isKept = span.error !== undefined || span.endMs - span.startMs >= slowMs || isSampled(id, share);
    if (trace.begun > MAX_SPANS) span.attributes['broker.spans_left_out'] = trace.begun - MAX_SPANS;
    trace.fate = isKept ? 'kept' : 'dropped';
    if (isKept) for (const one of trace.ended) emit(one);
    trace.ended.length = 0;
  }
}

/** Runs `work` as a span of the trace that it belongs to. Outside of a trace, or while telemetry is off, it just runs. */
export function spanOf<T>(
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  kind: Kind = 'internal',
): Promise<T> {
  const parent = recording && current.getStore();
  if (parent === undefined) return work();
  if (parent.trace.begun < MAX_SPANS)
    return within(begin(parent.trace, parent, name, attributes, kind), work);
  parent.trace.begun += 1;
  return work();
}

/** As `spanOf`, for work that waits for nothing. */
export function spanNow<T>(name: string, work: () => T): T {
  const parent = recording && current.getStore();
  if (parent === undefined || parent.trace.begun >= MAX_SPANS) return work();
  const span = begin(parent.trace, parent, name, {}, 'internal');
  try {
    return work();
  } finally {
    end(span);
  }
}

/** Says something of the span under way. @param error it has failed, though nothing is thrown */
export function tell(attributes: Attributes, error?: string): void {
  const span = recording && current.getStore();
  if (span === undefined) return;
  Object.assign(span.attributes, attributes);
  span.error ??= error;
}

/** The header that tells a service which span calls it (W3C Trace Context); none outside of a trace. */
export function traceHeaders(): Record<string, string> {
  const span = recording && current.getStore();
  if (span === undefined || recording === undefined) return {};
  const flags = isSampled(span.trace.id, recording.share) ? '01' : '00';
  return { traceparent: `00-${span.trace.id}-${idOf(span)}-${flags}` };
}

/** The last 13 digits of a trace id are random, ours too, so every service that asks them decides alike. */
function isSampled(traceId: string, share: number): boolean {
  return Number.parseInt(traceId.slice(-13), 16) / 2 ** 52 >= 1 - share;
}

async function within<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await current.run(span, work);
  } catch (error) {
    span.error ??= errorType(error);
    throw error;
  } finally {
    end(span);
  }
}

/** A span may end after its trace, for example that of a purchase in the background. */
function end(span: Span): void {
  span.endMs = performance.now();
  if (span.trace.fate === 'open') span.trace.ended.push(span);
  else if (span.trace.fate === 'kept') recording?.emit(span);
}
