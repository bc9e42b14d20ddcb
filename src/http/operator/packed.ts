/** Bodies that are larger than one of ours may be, sent gzipped: the Functions host passes them on as they are. */
import { gunzipSync } from 'node:zlib';
import type { HttpRequest } from '@azure/functions';
import { problem } from '../problem.ts';

/** @returns the text, unpacked where it is packed; an empty one where it is packed wrongly */
export async function readPacked(request: HttpRequest, maxBytes: number): Promise<string | TooLarge> {
  if (request.headers.get('content-encoding') !== 'gzip') return request.text();
  try {
    const packed = new Uint8Array(await request.arrayBuffer());
    // It stops at the bound, so that a few kilobytes cannot become gigabytes.
    return gunzipSync(packed, { maxOutputLength: maxBytes }).toString();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? { kind: 'too_large' } : '';
  }
}
interface TooLarge {
  readonly kind: 'too_large';
}
export const tooLarge = (maxBytes: number) =>
  problem(413, 'Content Too Large', `the body may have at most ${maxBytes} bytes unpacked`);
