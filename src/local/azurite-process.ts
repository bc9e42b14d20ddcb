/** Azurite's tables, queues and blobs, in a process of their own, with a journal where a folder is given. */
import { join } from 'node:path';
import { startBlobServer, startQueueServer, startTableServer } from './azurite.ts';
import { beChild } from './child.ts';

/** A child that has lost its launcher is gone in less. */
const MAX_PREDECESSOR_MS = 8000;
const { folder } = JSON.parse(process.argv[2] ?? '') as { folder?: string };
const stops: (() => void | Promise<void>)[] = [];
const { report } = beChild(async () => {
  for (const stop of stops.toReversed()) await stop();
});

// Azurite makes an ETag of a millisecond and four digits of this; two writes must not get the same.
let writes = 0;
const { hrtime } = process;
process.hrtime = Object.assign(
  (): [number, number] => [hrtime()[0], 100_000_000 + (writes++ % 9000) * 100_000],
  { bigint: hrtime.bigint },
);

try {
  const [tables, queues, blobs] = await Promise.all([
    startTableServer(),
    startQueueServer(),
    startBlobServer(),
  ]);
  stops.push(() => tables.close());
  stops.push(() => queues.close());
  stops.push(() => blobs.close());
  if (folder !== undefined) {
    // Loaded for a folder only: a lock needs SQLite and the schema of what is in its file.
    const [{ lockFile }, { keepTables }, { keepQueues }, { keepBlobs }] = await Promise.all([
      import('./folder-lock.ts'),
      import('./table-journal.ts'),
      import('./queue-journal.ts'),
      import('./blob-journal.ts'),
    ]);
    const file = join(folder, 'tables.jsonl');
    // When a launcher is killed, its Azurite answers what is in flight for a moment more, and keeps it here.
    const lock = lockFile(`${file}.lock`, MAX_PREDECESSOR_MS);
    if (!lock) throw new Error(`${file} is in use by another process`);
    stops.push(() => lock.release());
    stops.push(keepTables(tables.metadataStore, file));
    stops.push(keepQueues(queues, join(folder, 'queues.jsonl')));
    stops.push(keepBlobs(blobs, join(folder, 'blobs.jsonl')));
  }
  report({
    kind: 'bound',
    urls: [tables.getHttpServerAddress(), queues.getHttpServerAddress(), blobs.getHttpServerAddress()],
  });
  report({ kind: 'ready' });
} catch (error) {
  report({ kind: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exitCode = 1;
  process.disconnect?.();
}
