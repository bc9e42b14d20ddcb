/**
 * An OTLP collector for tests: decodes what it is sent with OpenTelemetry's published definitions, as their package
 * was generated from the .proto files, and not with the exporter's own code.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

interface Decoder {
  decode(bytes: Uint8Array): unknown;
  toObject(message: unknown, options: object): unknown;
}
interface Definitions {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: {
        readonly trace: { readonly v1: { readonly ExportTraceServiceRequest: Decoder } };
        readonly metrics: { readonly v1: { readonly ExportMetricsServiceRequest: Decoder } };
      };
    };
  };
}
const require = createRequire(import.meta.url);
const { collector } = (
  require('@opentelemetry/otlp-proto-exporter-base/build/src/generated/root.js') as Definitions
).opentelemetry.proto;

export interface SpanData {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly service: string;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}
export interface Point {
  readonly service: string;
  readonly name: string;
  readonly unit: string;
  /** Of a histogram: how many measurements. */
  readonly value: number;
  readonly sum?: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}
export interface Collector extends AsyncDisposable {
  readonly url: string;
  /** Every span so far. */
  readonly spans: SpanData[];
  /** The latest of every time series. */
  points(): Point[];
  /** Every body as it came. */
  readonly bodies: Buffer[];
}

/** @param hangs takes requests and never answers */
export async function startCollector(hangs = false): Promise<Collector> {
  const spans: SpanData[] = [];
  const series = new Map<string, Point>();
  const bodies: Buffer[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const sent = Buffer.concat(parts);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    bodies.push(body);
    if (hangs) return;
    if (request.url === '/v1/traces') spans.push(...spansIn(body));
    else
      for (const point of pointsIn(body))
        series.set(`${point.service} ${point.name} ${JSON.stringify(point.attributes)}`, point);
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    points: () => [...series.values()],
    bodies,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

type Message = Readonly<Record<string, unknown>>;
const list = (value: unknown): readonly Message[] => (value ?? []) as readonly Message[];
const decoded = (decoder: Decoder, bytes: Uint8Array): Message =>
  decoder.toObject(decoder.decode(bytes), { longs: Number, enums: String, bytes: Array }) as Message;
const hex = (bytes: unknown): string => Buffer.from((bytes ?? []) as number[]).toString('hex');
const ms = (nanoseconds: unknown): number => Number(nanoseconds) / 1e6;
const attributesIn = (message: Message | undefined): Record<string, unknown> =>
  Object.fromEntries(
    list(message?.['attributes']).map(({ key, value }) => [key, Object.values(value as Message)[0]]),
  );

function spansIn(bytes: Uint8Array): SpanData[] {
  const request = decoded(collector.trace.v1.ExportTraceServiceRequest, bytes);
  return list(request['resourceSpans']).flatMap(({ resource, scopeSpans }) =>
    list(scopeSpans).flatMap(({ spans }) =>
      list(spans).map((span) => ({
        traceId: hex(span['traceId']),
        spanId: hex(span['spanId']),
        parentSpanId: hex(span['parentSpanId']),
        name: String(span['name']),
        kind: String(span['kind']),
        startMs: ms(span['startTimeUnixNano']),
        endMs: ms(span['endTimeUnixNano']),
        service: String(attributesIn(resource as Message)['service.name']),
        failed: (span['status'] as Message | undefined)?.['code'] === 'STATUS_CODE_ERROR',
        attributes: attributesIn(span),
      })),
    ),
  );
}

function pointsIn(bytes: Uint8Array): Point[] {
  const request = decoded(collector.metrics.v1.ExportMetricsServiceRequest, bytes);
  return list(request['resourceMetrics']).flatMap(({ resource, scopeMetrics }) =>
    list(scopeMetrics).flatMap(({ metrics }) =>
      list(metrics).flatMap((metric) => {
        const data = (metric['sum'] ?? metric['gauge'] ?? metric['histogram']) as Message;
        return list(data['dataPoints']).map((point) => ({
          service: String(attributesIn(resource as Message)['service.name']),
          name: String(metric['name']),
          unit: String(metric['unit']),
          value: Number(point['count'] ?? point['asInt'] ?? point['asDouble']),
          ...(point['sum'] !== undefined && { sum: Number(point['sum']) }),
          attributes: attributesIn(point),
        }));
      }),
    ),
  );
}
