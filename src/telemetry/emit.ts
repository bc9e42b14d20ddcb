/** From the records of traces that are kept to spans of OpenTelemetry. */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { idOf, type Kind, type Span } from './span.ts';

const KINDS: Readonly<Record<Kind, SpanKind>> = {
  internal: SpanKind.INTERNAL,
  client: SpanKind.CLIENT,
  server: SpanKind.SERVER,
  consumer: SpanKind.CONSUMER,
};

export function emitSpan(tracer: Tracer, span: Span): void {
  const { trace: own, parent, error } = span;
  const spanId = parent === undefined ? own.callerSpanId : idOf(parent);
  const isRemote = parent === undefined;
  const context =
    spanId === undefined
      ? ROOT_CONTEXT
      : trace.setSpanContext(ROOT_CONTEXT, { traceId: own.id, spanId, traceFlags: 1, isRemote });
  const made = tracer.startSpan(
    span.name,
    { kind: KINDS[span.kind], startTime: own.epochMs + span.startMs, attributes: span.attributes },
    context,
  );
  if (error !== undefined) made.setAttribute('error.type', error).setStatus({ code: SpanStatusCode.ERROR });
  made.end(own.epochMs + span.endMs);
}
