/** The Distinguished Encoding Rules of ASN.1 (X.690), as far as a certificate needs them: tag, length, content. */

type Content = Uint8Array | string;

export const sequence = (...parts: readonly Content[]): Buffer => der(0x30, ...parts);
export const set = (...parts: readonly Content[]): Buffer => der(0x31, ...parts);
export const yes: Buffer = der(0x01, Buffer.of(0xff));
/** @param value from 0 to 127: one byte, of which the first bit is the sign */
export const integer = (value: number): Buffer => der(0x02, Buffer.of(value));
export const octets = (content: Content): Buffer => der(0x04, content);
export const text = (content: string): Buffer => der(0x0c, content);
/** @param unused how many bits at the end of the last byte are not meant */
export const bits = (content: Uint8Array, unused = 0): Buffer => der(0x03, Buffer.of(unused), content);
/** A member that is known by its number: one with parts, or a value of a type that the number implies. */
export const tagged = (number: number, ...parts: readonly Content[]): Buffer => der(0xa0 + number, ...parts);
export const implied = (number: number, content: Content): Buffer => der(0x80 + number, content);

/** RFC 5280, section 4.1.2.5: two digits of the year before 2050, four from then on. */
export function time(at: Date): Buffer {
  const digits = `${at.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
  return at.getUTCFullYear() < 2050 ? der(0x17, digits.slice(2)) : der(0x18, digits);
}

/** @param dotted for example `2.5.4.3` */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([40 * first + second, ...rest].flatMap(base128)));
}

/** Seven bits a byte; all bytes but the last have the eighth set. */
function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

function der(tag: number, ...parts: readonly Content[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}
