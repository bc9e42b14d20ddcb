import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { QueueServiceClient, StorageSharedKeyCredential } from '@azure/storage-queue';
import { DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY } from '../../src/facts/storage.ts';
import { type QueueServer, startQueueServer } from '../../src/local/azurite.ts';
import { keepQueues } from '../../src/local/queue-journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'queue-journal-'));
const file = join(folder, 'queues.jsonl');
after(() => rmSync(folder, { recursive: true }));

const clientOf = (server: QueueServer) =>
  new QueueServiceClient(
    `${server.getHttpServerAddress()}/${DEVELOPMENT_ACCOUNT}`,
    new StorageSharedKeyCredential(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY),
  ).getQueueClient('work');

test('after a kill every message that was acknowledged is there, with its text, its count and its invisibility', async () => {
  const first = await startQueueServer();
  keepQueues(first, file);
  const queue = clientOf(first);
  await queue.create();
  for (const text of ['a', 'b', 'c']) await queue.sendMessage(Buffer.from(text).toString('base64'));
  const { receivedMessageItems } = await queue.receiveMessages({
    numberOfMessages: 2,
    visibilityTimeout: 600,
  });
  const [gone] = receivedMessageItems;
  assert.ok(gone);
  await queue.deleteMessage(gone.messageId, gone.popReceipt);
  // Nothing is closed or flushed, as by kill -9; and the last write was cut short.
  appendFileSync(file, '["$MESSAGES_COLLECTION$","half');

  const second = await startQueueServer();
  keepQueues(second, file);
  const again = clientOf(second);
  const properties = await again.getProperties();
  assert.equal(properties.approximateMessagesCount, 2);
  const visible = (await again.receiveMessages({ numberOfMessages: 32 })).receivedMessageItems;
  assert.deepEqual(
    visible.map(({ messageText }) => Buffer.from(messageText, 'base64').toString()),
    ['c'],
  );
  assert.equal(visible[0]?.dequeueCount, 1);
  await Promise.all([first.close(), second.close()]);
});
