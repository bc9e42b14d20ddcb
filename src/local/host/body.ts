/** Request bodies, as the host passes them to a function and as it reads them itself. */
import type { IncomingMessage } from 'node:http';

/** Kestrel's limit in the Functions host. */
export const maxBodyBytes = 100 * 1024 * 1024;

export const empty = Buffer.alloc(0);

/**
 * What a function sees: only a body whose length was announced. A chunked one arrives empty, as the host's
 * message to the worker carries a body only for a `Content-Length` above 0.
 * `tooLarge`: over 100 MiB. Rejects when the client goes away in the middle.
 */
export async function readAnnounced(req: IncomingMessage): Promise<Buffer | 'tooLarge'> {
  const announced = req.headers['content-length'];
  if (announced !== undefined && Number(announced) > maxBodyBytes) {
    // Answered at once; what still comes is read and thrown away.
    req.resume();
    return 'tooLarge';
  }
  if (announced !== undefined && announced !== '0') return readWhole(req);
  if (req.headers['transfer-encoding'] !== undefined) await drain(req);
  return empty;
}

/** What the host's own routes see: chunked bodies too. */
export async function readWhole(req: IncomingMessage): Promise<Buffer | 'tooLarge'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBodyBytes) chunks.push(chunk);
    });
    req.on('end', () => {
      if (bytes > maxBodyBytes) resolve('tooLarge');
      else resolve(chunks.length === 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks));
    });
    req.on('error', reject);
  });
}

function drain(req: IncomingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    req.on('end', resolve);
    req.on('error', reject);
    req.resume();
  });
}
