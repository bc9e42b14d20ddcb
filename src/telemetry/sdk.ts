/**
 * The SDK and the OTLP exporters: protobuf over HTTP, which every collector takes. Loaded by `start.ts` when it is
 * needed and by nobody else. Whatever happens to the collector, an exchange neither waits for it nor fails with it:
 * spans wait in a bounded queue and are dropped beyond it, and an export ends after a timeout.
 */
import type { Meter } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Log } from '../ports.ts';
import { emitSpan } from './emit.ts';
import { createFailures, watched } from './failures.ts';
import { idOf, type Span } from './span.ts';

const SCOPE = 'azure-ai-token-broker';
const MAX_QUEUE = 2_048;
const EXPORT_TIMEOUT_MS = 5_000;
const FLUSH_MS = 2_000;
/** OpenTelemetry's own settings, in milliseconds: how often is exported. */
const METRICS_EVERY = 'OTEL_METRIC_EXPORT_INTERVAL';
const SPANS_EVERY = 'OTEL_BSP_SCHEDULE_DELAY';

export interface SdkOptions {
  readonly endpoint: string;
  readonly service: string;
  readonly instance: string;
  readonly log: Log;
}
export interface Sdk {
  readonly meter: Meter;
  readonly emit: (span: Span) => void;
  readonly flush: () => Promise<void>;
}

export function openSdk({ endpoint, service, instance, log }: SdkOptions): Sdk {
  const resource = resourceFromAttributes({
    'service.name': process.env['OTEL_SERVICE_NAME'] ?? service,
    'service.namespace': SCOPE,
    'service.instance.id': instance,
  });
  const failures = createFailures(log);
  const metricsEveryMs = every(METRICS_EVERY, 60_000);
  const spans = new BatchSpanProcessor({
    exporter: watched(
      new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MS }),
      failures,
    ),
    maxQueueSize: MAX_QUEUE,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
    scheduledDelayMillis: every(SPANS_EVERY, 5_000),
  });
  const metrics = new PeriodicExportingMetricReader({
    exporter: watched(
      new OTLPMetricExporter({ url: `${endpoint}/v1/metrics`, timeoutMillis: EXPORT_TIMEOUT_MS }),
      failures,
    ),
    exportIntervalMillis: metricsEveryMs,
    exportTimeoutMillis: Math.min(EXPORT_TIMEOUT_MS, metricsEveryMs),
  });
  // The records have their ids already: the correlation id is the trace id, and a service may have been told the other.
  let next = { traceId: '', spanId: '' };
  const tracers = new TracerProvider({
    resource,
    spanProcessors: [spans],
    idGenerator: { generateTraceId: () => next.traceId, generateSpanId: () => next.spanId },
  });
  const meters = new MeterProvider({ resource, readers: [metrics] });
  const tracer = tracers.getTracer(SCOPE);
  return {
    meter: meters.getMeter(SCOPE),
    emit: (span) => {
      next = { traceId: span.trace.id, spanId: idOf(span) };
      emitSpan(tracer, span);
    },
    flush: async () => {
      const sent = Promise.allSettled([tracers.forceFlush(), meters.forceFlush()]);
      await Promise.race([sent, new Promise((resolve) => setTimeout(resolve, FLUSH_MS).unref())]);
    },
  };
}

const every = (setting: string, initialMs: number): number => {
  const givenMs = Number(process.env[setting]);
  return Number.isInteger(givenMs) && givenMs > 0 ? givenMs : initialMs;
};
