/** Request bodies, as the host passes them to a function and as it reads them itself. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WireLimits } from './wire.ts';

export const empty = Buffer.alloc(0);

export type Body = Buffer | 'tooLarge' | 'tooSlow';

/**
 * What a function sees: only a body whose length was announced. A chunked one arrives empty and is not waited for,
 * as the host's message to the worker carries a body only for a `Content-Length` above 0.
 * `tooLarge`: nothing of it was read. Rejects when the client goes away in the middle.
 */
export async function readAnnounced(
  req: IncomingMessage,
  res: ServerResponse,
  limits: WireLimits,
): Promise<Body> {
  const announced = req.headers['content-length'];
  if (req.headers['transfer-encoding'] !== undefined || announced === undefined || announced === '0')
    return empty;
  return readWhole(req, res, limits);
}

/** What the host's own routes see: chunked bodies too. */
export async function readWhole(
  req: IncomingMessage,
  res: ServerResponse,
  limits: WireLimits,
): Promise<Body> {
  if (Number(req.headers['content-length'] ?? 0) > limits.maxBodyBytes) return 'tooLarge';
  if (isContinueExpected(req)) res.writeContinue();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const startedAtMs = performance.now();
  return new Promise((resolve, reject) => {
    const end = (body: Body) => {
      clearInterval(timer);
      req.removeAllListeners('data');
      if (typeof body === 'string') req.pause();
      resolve(body);
    };
    const timer = setInterval(() => {
      if (isTooSlow(bytes, performance.now() - startedAtMs, limits)) end('tooSlow');
    }, limits.checkEveryMs);
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limits.maxBodyBytes) end('tooLarge');
      else chunks.push(chunk);
    });
    req.on('end', () => end(chunks.length === 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks)));
    req.on('error', (error) => {
      clearInterval(timer);
      reject(error);
    });
  });
}

/** Slower than the least rate, over all of its time, once the grace is over. */
export function isTooSlow(bytes: number, elapsedMs: number, limits: WireLimits): boolean {
  return elapsedMs > limits.bodyGraceMs && (bytes * 1000) / elapsedMs < limits.minBodyBytesPerSecond;
}

/** A client that waits for `100 Continue` is told so when its body is read, and not before. */
function isContinueExpected(req: IncomingMessage): boolean {
  return req.headers.expect?.toLowerCase() === '100-continue';
}
