/**
 * Reads a compact JWS strictly, before its signature is checked. Only canonical base64url is accepted. Else padding,
 * stray bits or blanks would give the same token many texts, and each would look like another token (RFC 8725).
 */
import { parseStrictObject } from './strict-json.ts';

export interface OpenedJws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** @returns `malformed` when the text is not a JWS whose header and payload are JSON objects */
export function openJws(token: string): OpenedJws | 'malformed' {
  const segments = token.split('.');
  if (segments.length !== 3 || !segments.every(isCanonicalBase64Url)) return 'malformed';
  const [header = 'unreadable', payload = 'unreadable'] = segments.slice(0, 2).map(readObject);
  if (header === 'unreadable' || payload === 'unreadable') return 'malformed';
  // Extensions that change what is signed or how (RFC 7515 section 4.1.11, RFC 7797, zip) are not supported.
  if (['crit', 'b64', 'zip'].some((member) => member in header)) return 'malformed';
  return { header, payload };
}

function isCanonicalBase64Url(segment: string): boolean {
  return segment.length > 0 && Buffer.from(segment, 'base64url').toString('base64url') === segment;
}

function readObject(segment: string): Record<string, unknown> | 'unreadable' {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return parseStrictObject(decoder.decode(Buffer.from(segment, 'base64url')));
  } catch {
    return 'unreadable';
  }
}
