/** A question before an act that cannot be undone. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { World } from './world.ts';

/** Whether somebody is there who can be asked. */
export const canAsk = ({ stdin, stderr }: World): boolean => stdin.isTTY === true && stderr.isTerminal;

/** @returns whether the answer was yes; an interruption is a no */
export async function confirm({ stdin, stderr, signal }: World, question: string): Promise<boolean> {
  stderr.write(`${question} [y/N] `);
  // The question is written once, and what is typed is shown by the terminal itself.
  const nowhere = new Writable({ write: (_part, _coding, done) => done() });
  const lines = createInterface({ input: stdin, output: nowhere, terminal: false });
  try {
    const answer = await lines.question('', { signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    return false;
  } finally {
    lines.close();
  }
}
