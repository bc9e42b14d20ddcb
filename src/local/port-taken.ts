/** What to do when the broker's port is taken. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';

const OTHER_PORT = 'npm start -- --port N, or with --port 0 for a free one';
const description = z.object({ instances: z.array(z.url()) });

/** @param running the description files of the local modes that run (running.ts) */
export function portTaken(port: number, running: readonly string[]): string {
  for (const file of running) {
    const url = urlAt(port, file);
    if (url !== undefined)
      return `port ${port} is taken by a local mode that is running already: its broker is ${url}, its files are in ${dirname(file)}. Use that one, or start another beside it: ${OTHER_PORT}`;
  }
  return `port ${port} is taken by another program. End that one, or start at another port: ${OTHER_PORT}`;
}

/** The instance with this port; undefined too where the file is of a local mode that ends at this moment. */
function urlAt(port: number, file: string): string | undefined {
  try {
    const { instances } = description.parse(JSON.parse(readFileSync(file, 'utf8')));
    return instances.find((url) => new URL(url).port === String(port));
  } catch {
    return undefined;
  }
}
