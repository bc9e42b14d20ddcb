/**
 * The host parses an event with a reader that takes whatever looks like an instant for one, anywhere in it,
 * and writes it back its own way. So an event's text is not what was sent.
 */

const instant = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;
const msDate = /^\/Date\((-?\d+)(?:[+-]\d{4})?\)\/$/;

/** The reader's own (Newtonsoft.Json 13): objects and arrays in one another, the batch and the event included. */
const MAX_DEPTH = 64;

/** @throws SyntaxError where the text is not JSON, or is nested deeper than the host's reader goes. */
export function parseEvents(text: string): unknown {
  if (isDeeperThan(text, MAX_DEPTH)) throw new SyntaxError(`nested more than ${MAX_DEPTH} deep`);
  return JSON.parse(text, (_key, value: unknown) => (typeof value === 'string' ? rewriteDate(value) : value));
}

function isDeeperThan(text: string, most: number): boolean {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    if (depth > most) return true;
  }
  return false;
}

/** `…05.100Z` to `…05.1Z`; an offset to the zone of this process; `/Date(ms)/` to ISO. Others stay. */
export function rewriteDate(text: string): string {
  const parts = instant.exec(text);
  if (parts) {
    const [, seconds = '', fraction = '', zone = 'Z'] = parts;
    if (Number.isNaN(Date.parse(`${seconds}${zone}`))) return text;
    if (zone === 'Z') return `${seconds}${trimmed(fraction)}Z`;
    return `${inOwnZone(Date.parse(`${seconds}${zone}`), trimmed(fraction))}`;
  }
  const ms = msDate.exec(text)?.[1];
  if (ms === undefined || Number.isNaN(new Date(Number(ms)).getTime())) return text;
  return new Date(Number(ms)).toISOString().replace(/\.?0*Z$/, 'Z');
}

/** .NET holds seven digits of a second and prints no zeros at the end. */
function trimmed(fraction: string): string {
  const digits = fraction.slice(0, 7).replace(/0+$/, '');
  return digits && `.${digits}`;
}

function inOwnZone(ms: number, fraction: string): string {
  const offsetMinutes = -new Date(ms).getTimezoneOffset();
  const local = new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, 19);
  const absolute = Math.abs(offsetMinutes);
  const two = (value: number) => String(value).padStart(2, '0');
  const sign = offsetMinutes < 0 ? '-' : '+';
  return `${local}${fraction}${sign}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
}
