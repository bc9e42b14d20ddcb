import type { Log } from './ports.ts';
import { withoutSecrets } from './secret.ts';

const FLUSH_MS = 20;

/**
 * One line an event, `event name=value name=value`: a person can read it and Log Analytics can `parse` it.
 * Lines of 20 ms leave in one write, because writing is the dearest part of a log line; nothing but a crash
 * of the process loses them, and the audit does not hang on them.
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

/** No trace id, GUID or number is longer; longer words may be somebody else's. */
const MAX_ID = 36;

/**
 * A value with anything but plain characters is quoted, so that no value can forge a field or a line; what
 * looks like a token is not printed, whoever put it there.
 */
function quoted(value: unknown): string {
  const said = String(value);
  const text = said.length > MAX_ID ? withoutSecrets(said) : said;
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}
