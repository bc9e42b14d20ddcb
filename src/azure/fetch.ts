import * as z from 'zod';
import { traceHeaders } from '../telemetry/trace.ts';
import { UpstreamFailure, type UpstreamService } from '../upstream.ts';
import { retryAfterSeconds } from './call.ts';

/** No expected answer is larger. A larger one counts as an outage, so that it cannot use up the memory. */
const MAX_BYTES = 1_048_576;

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterSeconds: number | undefined;
}

/** One request, without redirects and with a bounded answer. Use it inside `call`, which adds deadline and retries. */
export async function fetchText(service: UpstreamService, url: string, init: RequestInit): Promise<Answer> {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(traceHeaders())) headers.set(name, value);
  const response = await fetch(url, { ...init, headers, redirect: 'error' });
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > MAX_BYTES) throw new UpstreamFailure(service, 'the answer is too large');
    parts.push(part);
  }
  return {
    status: response.status,
    text: Buffer.concat(parts).toString('utf8'),
    retryAfterSeconds: retryAfterSeconds(response.headers.get('retry-after')),
  };
}

/** As `fetchText`, for an answer that must have status 200 and this shape. @throws UpstreamFailure */
export async function fetchJson<Shape extends z.ZodType>(
  service: UpstreamService,
  url: string,
  init: RequestInit,
  shape: Shape,
): Promise<z.infer<Shape>> {
  const answer = await fetchText(service, url, init);
  if (answer.status !== 200) throw failed(service, answer);
  return parseJson(service, answer.text, shape);
}

/** @throws UpstreamFailure when the text is not JSON or does not have this shape */
export function parseJson<Shape extends z.ZodType>(
  service: UpstreamService,
  text: string,
  shape: Shape,
): z.infer<Shape> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new UpstreamFailure(service, 'the answer is not JSON');
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success) throw new UpstreamFailure(service, 'the answer has another shape');
  return parsed.data;
}

const errorEnvelope = z.object({ error: z.object({ code: z.string() }) });

/** The code of an error answer, `{ "error": { "code": … } }`; undefined where the body has none. */
export function errorCode({ text }: Answer): string | undefined {
  try {
    return errorEnvelope.safeParse(JSON.parse(text)).data?.error.code;
  } catch {
    return undefined;
  }
}

export function failed(
  service: UpstreamService,
  { status, retryAfterSeconds: wait }: Answer,
): UpstreamFailure {
  return new UpstreamFailure(service, 'was refused', status, wait);
}
