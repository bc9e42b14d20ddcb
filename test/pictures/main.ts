/** `npm run pictures`: makes every picture of README and the pages again, into .github/pictures. */
import { join } from 'node:path';
import { readCommandLine, wrongUsage } from '../../src/command-line.ts';
import { recordConsole } from './console.ts';
import { recordTerminal } from './terminal.ts';

const usage = `npm run pictures -- [options]

  --only console    the console's views alone; needs Chromium
  --only terminal   those of the terminal alone`;

const { values } = readCommandLine(usage, { options: { only: { type: 'string' } } });
const makers: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  console: recordConsole,
  terminal: recordTerminal,
};
if (values.only !== undefined && !(values.only in makers))
  wrongUsage(usage, `--only is one of ${Object.keys(makers).join(', ')}`);
const folder = join(import.meta.dirname, '../../.github/pictures');
for (const [name, make] of Object.entries(makers))
  if (values.only === undefined || values.only === name) {
    await make(folder);
    console.log(`${name}: made`);
  }
