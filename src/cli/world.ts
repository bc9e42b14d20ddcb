/** What a command needs of the machine, so that a test can decide all of it. */
import type { Readable } from 'node:stream';

export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** In characters. Undefined where nobody looks, as in a pipe. */
  readonly columns: number | undefined;
}

export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Data, and nothing else. */
  readonly stdout: Output;
  /** Progress, questions and errors. */
  readonly stderr: Output;
  readonly nowMs: () => number;
  /** The description files of the local modes that run on this machine. */
  readonly findRunning: () => readonly string[];
  readonly fetch: typeof fetch;
  /** Fired by Ctrl-C and by a request to end. */
  readonly signal: AbortSignal;
}
