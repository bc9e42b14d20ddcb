/**
 * Makes Azurite's blobs survive `kill -9`, as table-journal.ts does for its tables: each change is appended to a file
 * before it is answered. A blob is appended to many times, so a line has only the blocks that the lines before it do
 * not have.
 */
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import type { BlobServer } from './azurite.ts';
import type { Document } from './table-journal.ts';

const COLLECTIONS = ['$CONTAINERS_COLLECTION$', '$BLOBS_COLLECTION$'] as const;
/** `known`: of the blocks that were there so many stay, and those of the document follow. */
type Change = readonly [collection: string, key: string, document: Document | null, known: number];

/** Brings back what `file` holds, and from here on keeps it. Returns the end of it. */
export function keepBlobs({ metadataStore: { db } }: BlobServer, file: string): () => void {
  const kept = read(file);
  const all = [...kept].flatMap(([name, documents]) =>
    [...documents].map(([key, document]): Change => [name, key, document, 0]),
  );
  writeFileSync(`${file}.new`, all.map(line).join(''));
  renameSync(`${file}.new`, file);
  const descriptor = openSync(file, 'a');
  const written = new Map<string, number>();
  for (const name of COLLECTIONS) {
    const collection = db.getCollection(name);
    const set = (document: Document, from: number) => {
      const { $loki: _number, meta: _meta, ...stored } = document;
      const blocks = blocksOf(document);
      const known = Math.min(from, blocks.length);
      const more = blocks.length === 0 ? {} : { committedBlocksInOrder: blocks.slice(known) };
      writeSync(descriptor, line([name, keyOf(document), { ...stored, ...more }, known]));
      written.set(keyOf(document), blocks.length);
    };
    for (const document of kept.get(name)?.values() ?? []) {
      collection?.insert(withDates(document));
      written.set(keyOf(document), blocksOf(document).length);
    }
    collection?.on('insert', (document) => set(document, 0));
    collection?.on('update', (document) => set(document, written.get(keyOf(document)) ?? 0));
    collection?.on('delete', (document) => writeSync(descriptor, line([name, keyOf(document), null, 0])));
  }
  return () => closeSync(descriptor);
}

function read(file: string): Map<string, Map<string, Document>> {
  const kept = new Map<string, Map<string, Document>>();
  if (!existsSync(file)) return kept;
  // What follows the last newline is a write that a kill cut short, and nobody was told that it was done.
  for (const text of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const [name, key, document, known] = JSON.parse(text) as Change;
    const documents = kept.get(name) ?? new Map<string, Document>();
    kept.set(name, documents);
    if (document === null) documents.delete(key);
    else if (known === 0) documents.set(key, document);
    else {
      // In place: a copy for each append would cost the square of their number.
      const blocks = blocksOf(documents.get(key));
      blocks.length = known;
      blocks.push(...blocksOf(document));
      documents.set(key, { ...document, committedBlocksInOrder: blocks });
    }
  }
  return kept;
}

const blocksOf = (document: Document | undefined) => (document?.['committedBlocksInOrder'] ?? []) as object[];
const line = (change: Change) => `${JSON.stringify(change)}\n`;
/** A container by its name, a blob by its container, its name and its snapshot. */
const keyOf = (document: Document) =>
  JSON.stringify([
    document['accountName'],
    document['containerName'] ?? '',
    document['name'],
    document['snapshot'] ?? '',
  ]);

/** JSON has no dates, and Azurite writes those of a blob as dates. */
function withDates(document: Document): Document {
  const properties = document['properties'] as Readonly<Record<string, unknown>>;
  const dated = ['creationTime', 'lastModified'].flatMap((name) => {
    const text = properties[name];
    return typeof text === 'string' ? [[name, new Date(text)] as const] : [];
  });
  return { ...document, properties: { ...properties, ...Object.fromEntries(dated) } };
}
