/** The container of the proof in the local mode: Azure's rule for protected appends, and what survives a kill. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type AppendBlobClient, BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY } from '../../src/facts/storage.ts';
import { type BlobServer, startBlobServer } from '../../src/local/azurite.ts';
import { keepBlobs } from '../../src/local/blob-journal.ts';
import { createContainersAt } from '../../src/local/containers.ts';
import { PROOF_CONTAINER } from '../../src/proof-container.ts';

const folder = mkdtempSync(join(tmpdir(), 'blob-journal-'));
const file = join(folder, 'blobs.jsonl');
const servers: BlobServer[] = [];
after(async () => {
  await Promise.all(servers.map((server) => server.close()));
  rmSync(folder, { recursive: true });
});

/** With the account's own key, to which no role is denied. */
async function started(isKept: boolean) {
  const server = await startBlobServer();
  servers.push(server);
  if (isKept) keepBlobs(server, file);
  const url = `${server.getHttpServerAddress()}/${DEVELOPMENT_ACCOUNT}`;
  await createContainersAt(url);
  const service = new BlobServiceClient(
    url,
    new StorageSharedKeyCredential(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY),
    { retryOptions: { maxTries: 1 } },
  );
  const container = service.getContainerClient(PROOF_CONTAINER);
  return { service, container, blob: container.getAppendBlobClient('day') };
}
const append = (blob: AppendBlobClient, text: string, appendPosition?: number) =>
  blob.appendBlock(text, text.length, appendPosition === undefined ? {} : { conditions: { appendPosition } });
const textOf = async (blob: AppendBlobClient, from = 0) => (await blob.downloadToBuffer(from)).toString();
const refusedBy = (status: number, code: string) => (error: unknown) => {
  const { statusCode, code: told } = error as { statusCode?: number; code?: string };
  assert.deepEqual([statusCode, told], [status, code]);
  return true;
};

test('whoever holds every right changes and removes nothing of a blob of the proof, and appends', async () => {
  const { container, blob, service } = await started(false);
  await blob.create();
  await append(blob, 'first\n', 0);
  const immutable = refusedBy(409, 'BlobImmutableDueToPolicy');
  await assert.rejects(blob.create(), immutable, 'an empty blob over it');
  await assert.rejects(container.getBlockBlobClient('day').upload('other', 5), immutable, 'another over it');
  await assert.rejects(blob.delete(), immutable);
  await assert.rejects(blob.setMetadata({ a: 'b' }), immutable);
  await assert.rejects(blob.setHTTPHeaders({ blobContentType: 'text/html' }), immutable);
  await assert.rejects(blob.createSnapshot(), immutable);
  await assert.rejects(container.delete(), immutable);
  await assert.rejects(
    blob.create({ conditions: { ifNoneMatch: '*' } }),
    refusedBy(409, 'BlobAlreadyExists'),
  );
  await append(blob, 'second\n', 6);
  assert.equal(await textOf(blob), 'first\nsecond\n');
  assert.equal(await textOf(blob, 6), 'second\n');

  const other = service.getContainerClient('other');
  await other.create();
  await other.getBlockBlobClient('day').upload('one', 3);
  await other.getBlockBlobClient('day').upload('two', 3);
  await other.getBlockBlobClient('day').delete();
});

test('of two that append at one position the second is told that it has moved', async () => {
  const { blob } = await started(false);
  await blob.create();
  await append(blob, 'first\n', 0);
  await assert.rejects(append(blob, 'other\n', 0), refusedBy(412, 'AppendPositionConditionNotMet'));
  assert.equal(await textOf(blob), 'first\n');
});

test('after a kill every append that was acknowledged is there, and the next one follows it', async () => {
  const first = await started(true);
  await first.blob.create();
  await append(first.blob, 'a\n');
  await append(first.blob, 'b\n');
  // Nothing is closed or flushed, as by kill -9; and the last write was cut short.
  appendFileSync(file, '["$BLOBS_COLLECTION$","half');

  const second = await started(true);
  assert.equal(await textOf(second.blob), 'a\nb\n');
  await append(second.blob, 'c\n', 4);
  const third = await started(true);
  assert.equal(await textOf(third.blob), 'a\nb\nc\n');
  await assert.rejects(third.blob.delete(), refusedBy(409, 'BlobImmutableDueToPolicy'));
});

test('an append costs the journal its own bytes, however many were before', async () => {
  const { blob } = await started(true);
  await append(blob, 'x\n');
  const before = statSync(file).size;
  await append(blob, 'x\n');
  const one = statSync(file).size - before;
  for (let count = 0; count < 50; count += 1) await append(blob, 'x\n');
  const atLast = statSync(file).size;
  await append(blob, 'x\n');
  assert.ok(statSync(file).size - atLast < one + 20, 'a line grows by the digits of a number at most');
});
