/** The log of all processes: each line with its virtual time, to a stream, to a file, or to both. */
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';

export interface LogLines {
  log(line: string): void;
  /** Writes to this file from now on; to the stream too, unless the file is alone. */
  follow(file: string, alone: boolean): void;
  close(): Promise<void>;
}

/** For a person at once, and one write for hundreds of lines. */
const gatherMs = 20;

export function createLogLines(stream: Writable): LogLines {
  let out: Writable | undefined = stream;
  let file: Writable | undefined;
  let lines: string[] = [];
  const flush = () => {
    if (lines.length === 0) return;
    const text = lines.join('');
    lines = [];
    out?.write(text);
    file?.write(text);
  };
  return {
    log(line) {
      if (lines.length === 0) setTimeout(flush, gatherMs);
      lines.push(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
    },
    follow(path, alone) {
      flush();
      if (alone) out = undefined;
      file = createWriteStream(path, { flags: 'a', mode: 0o600 });
    },
    async close() {
      flush();
      await new Promise<void>((resolve) => (file ? file.end(resolve) : resolve()));
    },
  };
}
