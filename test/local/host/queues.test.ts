/** The queue trigger of the embedded host, on Azurite's queues: what facts/functions-host-measured.md says of the real one. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { type QueueClient, QueueServiceClient, StorageSharedKeyCredential } from '@azure/storage-queue';
import { DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY } from '../../../src/facts/storage.ts';
import { type QueueServer, startQueueServer } from '../../../src/local/azurite.ts';
import type { RunningHost } from '../../../src/local/host/host.ts';
import { taken } from './queue-app/taken.ts';
import { startTestHost } from './running.ts';

let azurite: QueueServer;
let service: QueueServiceClient;
let queue: QueueClient;
let poison: QueueClient;
let host: (RunningHost & { lines: string[] }) | undefined;
let tests = 0;

before(async () => {
  azurite = await startQueueServer();
  const url = `${azurite.getHttpServerAddress()}/${DEVELOPMENT_ACCOUNT}`;
  service = new QueueServiceClient(url, new StorageSharedKeyCredential(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY));
  process.env['TEST_QUEUES'] =
    `DefaultEndpointsProtocol=http;AccountName=${DEVELOPMENT_ACCOUNT};AccountKey=${DEVELOPMENT_KEY};QueueEndpoint=${url};`;
});
after(() => azurite.close());
beforeEach(async () => {
  tests += 1;
  process.env['TEST_QUEUE'] = `work-${tests}`;
  queue = service.getQueueClient(`work-${tests}`);
  poison = service.getQueueClient(`work-${tests}-poison`);
  await queue.create();
  taken.messages = [];
  taken.meanwhile = undefined;
});
afterEach(async () => {
  await host?.close();
  host = undefined;
});

const start = async () => {
  host = await startTestHost({ appFolder: join(import.meta.dirname, 'queue-app') });
};
const put = (text: string) => queue.sendMessage(Buffer.from(text).toString('base64'));
const untilTaken = async (count: number) => {
  while (taken.messages.length < count)
    await new Promise<void>((resolve) => {
      taken.arrived = resolve;
    });
};
const until = async (isSo: () => Promise<boolean>) => {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
};
const lengthOf = async (client: QueueClient) =>
  (await client.exists()) ? ((await client.getProperties()).approximateMessagesCount ?? 0) : 0;

test('a message is given to the function, parsed where it is JSON, and is gone when the function has returned', async () => {
  await put('{"id":"a","at":"2026-11-22T05:51:10.000Z"}');
  await put('plain text');
  await start();
  await untilTaken(2);
  const messages = taken.messages.map(({ message }) => message);
  // Unlike Event Grid's webhook, the host leaves what looks like a date as it is.
  assert.deepEqual(
    messages.toSorted((a, b) => (typeof a === 'string' ? 1 : typeof b === 'string' ? -1 : 0)),
    [{ id: 'a', at: '2026-11-22T05:51:10.000Z' }, 'plain text'],
  );
  await until(async () => (await lengthOf(queue)) === 0);
  assert.equal(await lengthOf(poison), 0);
});

test('the function learns how often a message was given before', async () => {
  await put('once');
  await start();
  await untilTaken(1);
  const metadata = taken.messages[0]?.triggerMetadata as Record<string, unknown>;
  assert.equal(metadata['dequeueCount'], 1);
  assert.equal(metadata['queueTrigger'], 'once');
  assert.match(String(metadata['insertionTime']), /^\d{4}-\d\d-\d\dT.*\+00:00$/);
});

test('a message whose function throws comes again after visibilityTimeout', async () => {
  taken.meanwhile = async () => {
    if (taken.messages.length === 1) throw new Error('not yet');
  };
  await put('again');
  await start();
  await untilTaken(2);
  await until(async () => (await lengthOf(queue)) === 0);
  assert.equal(await lengthOf(poison), 0);
});

test('after maxDequeueCount failures a message is in the poison queue, as it was put', async () => {
  taken.meanwhile = () => Promise.reject(new Error('never'));
  await put('bad');
  await start();
  await until(async () => (await lengthOf(poison)) === 1);
  assert.equal(taken.messages.length, 3);
  await until(async () => (await lengthOf(queue)) === 0);
  const { peekedMessageItems } = await poison.peekMessages();
  assert.equal(peekedMessageItems[0]?.messageText, Buffer.from('bad').toString('base64'));
});

test('what is not base64 goes to the poison queue at once, and the function is not asked', async () => {
  await queue.sendMessage('{"id": "plain"}');
  await start();
  await until(async () => (await lengthOf(poison)) === 1);
  assert.deepEqual(taken.messages, []);
  assert.equal((await poison.peekMessages()).peekedMessageItems[0]?.messageText, '{"id": "plain"}');
});

test('a batch runs at the same time, and no more messages than its size', async () => {
  const waiting: (() => void)[] = [];
  taken.meanwhile = () => new Promise((resolve) => waiting.push(resolve));
  for (const text of ['1', '2', '3']) await put(text);
  await start();
  await untilTaken(2);
  assert.equal(waiting.length, 2);
  assert.equal(taken.messages.length, 2);
  for (const go of waiting.splice(0)) go();
  await untilTaken(3);
  await until(async () => waiting.length === 1);
  waiting[0]?.();
});

test('a message that a function has when the host ends comes again to the next host', async () => {
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  taken.meanwhile = () => {
    started.resolve();
    return ended.promise;
  };
  await put('killed');
  await start();
  await started.promise;
  await host?.close(10);
  host = undefined;
  assert.equal(await lengthOf(queue), 1, 'it is invisible for ten minutes, and not gone');
  ended.resolve();
});

test('a trigger whose connection is not set is in error, and the others run', async () => {
  await put('other');
  await start();
  await untilTaken(1);
  assert.ok(
    host?.lines.some(
      (line) => line.includes("The 'nowhere' function is in error") && line.includes('NOT_SET'),
    ),
  );
});
