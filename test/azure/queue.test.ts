import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { createQueue } from '../../src/azure/queue.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
const asked: Asked[] = [];
let answers: readonly { status: number; headers?: Record<string, string> }[] = [];
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const { method, url, headers } = request;
    asked.push({ method, url, headers, body });
    const { status, headers: more } = answers[Math.min(asked.length, answers.length) - 1] ?? { status: 201 };
    if (status === 0) return void request.socket.destroy();
    response.writeHead(status, more).end('<QueueMessagesList/>');
  });
});
let url = '';
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/account`;
});
after(() => server.close());
beforeEach(() => {
  asked.length = 0;
  answers = [];
});

const nowMs = Date.parse('2026-11-22T05:51:10Z');
const queue = () =>
  createQueue(
    url,
    'demands',
    async () => ({ token: 'of-the-identity', expiresOnTimestamp: 0 }),
    () => nowMs,
  );

test('a message is base64 of the text, put with the token of the identity', async () => {
  await queue().put('{"id":"ä<&"}', 1000);
  const [call] = asked;
  assert.equal(`${call?.method} ${call?.url}`, 'POST /account/demands/messages?messagettl=604800');
  assert.equal(call?.headers.authorization, 'Bearer of-the-identity');
  assert.equal(call?.headers['x-ms-date'], 'Sun, 22 Nov 2026 05:51:10 GMT');
  const text = /<MessageText>([^<]*)</.exec(call?.body ?? '')?.[1] ?? '';
  assert.equal(Buffer.from(text, 'base64').toString(), '{"id":"ä<&"}');
});

test('a busy service is asked again, after its Retry-After', async () => {
  answers = [{ status: 503, headers: { 'retry-after': '0' } }, { status: 201 }];
  await queue().put('{}', 1000);
  assert.equal(asked.length, 2);
});

for (const [what, status] of [
  ['refused', 403],
  ['not there', 404],
  ['down', 0],
  ['an answer that is no success of this call', 200],
] as const)
  test(`a queue that is ${what} is an outage, and the error holds neither text nor token`, async () => {
    answers = [{ status }];
    await assert.rejects(queue().put('{"secret":1}', 400), (error) => {
      assert.ok(error instanceof UpstreamFailure);
      assert.equal(error.service, 'queues');
      assert.doesNotMatch(error.message, /secret|of-the-identity|http/);
      return true;
    });
  });

test('the deadline that the caller set holds', async () => {
  answers = [{ status: 503, headers: { 'retry-after': '60' } }];
  await assert.rejects(queue().put('{}', 300), UpstreamFailure);
  assert.equal(asked.length, 1, 'no retry that would come too late');
});
