/**
 * Makes Azurite's queues survive `kill -9`, as table-journal.ts does for its tables: each change of a queue or a
 * message is appended to a file before it is answered.
 */
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import type { QueueServer } from './azurite.ts';
import type { Document } from './table-journal.ts';

const COLLECTIONS = ['$QUEUES_COLLECTION$', '$MESSAGES_COLLECTION$'] as const;
type Change = readonly [collection: string, key: string, document: Document | null];

/** Brings back what `file` holds, and from here on keeps it. Returns the end of it. */
export function keepQueues({ metadataStore: { db } }: QueueServer, file: string): () => void {
  const kept = read(file);
  const all = [...kept].flatMap(([name, documents]) =>
    [...documents].map(([key, document]): Change => [name, key, document]),
  );
  writeFileSync(`${file}.new`, all.map(line).join(''));
  renameSync(`${file}.new`, file);
  const descriptor = openSync(file, 'a');
  for (const name of COLLECTIONS) {
    const collection = db.getCollection(name);
    for (const document of kept.get(name)?.values() ?? []) collection?.insert(withDates(document));
    const set = (document: Document) =>
      writeSync(descriptor, line([name, keyOf(document), stored(document)]));
    collection?.on('insert', set);
    collection?.on('update', set);
    collection?.on('delete', (document) => writeSync(descriptor, line([name, keyOf(document), null])));
  }
  return () => closeSync(descriptor);
}

function read(file: string): Map<string, Map<string, Document>> {
  const kept = new Map<string, Map<string, Document>>();
  if (!existsSync(file)) return kept;
  // What follows the last newline is a write that a kill cut short, and nobody was told that it was done.
  for (const text of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const [name, key, document] = JSON.parse(text) as Change;
    const documents = kept.get(name) ?? new Map<string, Document>();
    kept.set(name, documents);
    if (document) documents.set(key, document);
    else documents.delete(key);
  }
  return kept;
}

const line = (change: Change) => `${JSON.stringify(change)}\n`;
const stored = ({ $loki: _number, meta: _meta, ...document }: Document): Document => document;
/** A queue by its name, a message by its queue and its id. */
const keyOf = (document: Document) =>
  JSON.stringify([
    document['accountName'],
    document['queueName'] ?? document['name'],
    document['messageId'] ?? '',
  ]);

/** JSON has no dates, and Azurite compares the times of a message as dates. */
function withDates(document: Document): Document {
  const times = ['insertionTime', 'expirationTime', 'visibleTime', 'lastModified'] as const;
  const dated = times.flatMap((name) => {
    const text = document[name];
    return typeof text === 'string' ? [[name, new Date(text)] as const] : [];
  });
  return { ...document, ...Object.fromEntries(dated) };
}
