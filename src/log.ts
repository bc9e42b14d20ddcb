import type { Log } from './ports.ts';
import { withoutSecrets } from './secret.ts';

const FLUSH_MS = 20;

/**
 * Writes each event as one line, `event name=value name=value`, which people can read and Log Analytics can `parse`.
 * The lines of 20 ms are written together, because the write is the most expensive part. A crash can lose them; the
 * audit does not depend on them.
 */
export function createLog(write: (text: string) => void = (text) => process.stdout.write(text)): Log {
  let lines: string[] = [];
  const flush = (): void => {
    const text = lines.join('');
    lines = [];
    write(text);
  };
  return (event, fields = {}) => {
    if (lines.length === 0) setTimeout(flush, FLUSH_MS);
    const values = Object.entries(fields).filter(([, value]) => value !== undefined);
    lines.push(`${[event, ...values.map(([name, value]) => `${name}=${quoted(value)}`)].join(' ')}\n`);
  };
}

/** No trace id, GUID or number is longer. A longer text may hold a secret that somebody else sent. */
const MAX_ID = 36;

/**
 * A value with anything but plain characters is quoted, so that no value can forge a field or a line. A part of it
 * that looks like a token or a key is not printed.
 */
function quoted(value: unknown): string {
  const said = String(value);
  const text = said.length > MAX_ID ? withoutSecrets(said) : said;
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}
