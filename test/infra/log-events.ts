/** The log lines that queries wait for, held to those that somebody writes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../local/started.ts';

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(root, 'src', name), 'utf8'))
  .join('\n');
/** The events of this code: a line begins with its event. */
const events = [...sources.matchAll(/\blog\(\s*'([a-z_]+)'/g)].map(([, event = '']) => event);
const OF_THE_HOST = /^(Executed 'Functions\.\w*|Message has reached MaxDequeueCount)/;

/** The beginnings of lines that a query looks for and nobody writes. */
export function neverWritten(query: string): readonly string[] {
  const wanted = [...query.matchAll(/ startswith ("[^"]+"|'[^']+')/g)].map(([, text = '']) =>
    text.slice(1, -1),
  );
  return wanted.filter((text) => {
    const isEvent = text.endsWith('_')
      ? events.some((event) => event.startsWith(text))
      : events.includes(text.split(' ')[0] ?? '');
    return !isEvent && !OF_THE_HOST.test(text);
  });
}
