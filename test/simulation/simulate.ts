/** `npm run simulate`, as a test runs it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Report } from './report.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

export async function simulate(...options: string[]): Promise<{ code: number | null; last: Report }> {
  const child = spawn(process.execPath, [MAIN, '--json', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const part of child.stdout) text += part;
  const code = await new Promise<number | null>((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    child.once('exit', resolve);
  });
  return { code, last: JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Report };
}
