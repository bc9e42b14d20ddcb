import type { Log } from './ports.ts';

/**
 * One line an event, `event name=value name=value`: a person can read it and Log Analytics can `parse` it.
 * Lines of one turn of the event loop leave in one write, because writing is the dearest part of a log line.
 */
export function createLog(write: (text: string) => void = (text) => process.stdout.write(text)): Log {
  let lines: string[] = [];
  const flush = (): void => {
    const text = lines.join('');
    lines = [];
    write(text);
  };
  return (event, fields = {}) => {
    if (lines.length === 0) setImmediate(flush);
    const values = Object.entries(fields).filter(([, value]) => value !== undefined);
    lines.push(`${[event, ...values.map(([name, value]) => `${name}=${quoted(value)}`)].join(' ')}\n`);
  };
}

/** A value with anything but plain characters is quoted, so that no value can forge a field or a line. */
function quoted(value: unknown): string {
  const text = String(value);
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}
