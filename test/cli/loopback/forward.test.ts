import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { CommandFailure } from '../../../src/cli/failure.ts';
import { forwarder } from '../../../src/cli/loopback/forward.ts';
import { listen } from '../../../src/cli/loopback/listen.ts';
import { BrokerError } from '../../../src/client/broker-error.ts';
import { startAccount, supplyOf } from './raw.ts';

const key = 'aitb-key';
const headers = { authorization: `Bearer ${key}` };

async function startProxy(supply: ReturnType<typeof supplyOf>) {
  const forward = forwarder({ supply, key });
  const listener = await listen(0, forward);
  return {
    port: listener.port,
    url: `http://127.0.0.1:${listener.port}`,
    [Symbol.asyncDispose]: async () => {
      await listener[Symbol.asyncDispose]();
      forward.close();
    },
  };
}

test('each part of a stream arrives before the account sends the next one', async () => {
  const seen: string[] = [];
  let more: () => void = assert.fail;
  await using account = await startAccount(async (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const part of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      const read = new Promise<void>((resolve) => {
        more = resolve;
      });
      response.write(part);
      await read;
    }
    response.end();
  });
  await using proxy = await startProxy(supplyOf(account.url));
  const answer = await fetch(`${proxy.url}/chat`, { method: 'POST', headers, body: '{}' });
  assert.equal(answer.headers.get('content-type'), 'text/event-stream');
  for await (const part of answer.body ?? assert.fail()) {
    seen.push(Buffer.from(part).toString());
    more();
  }
  assert.deepEqual(seen, ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']);
});

test('a program that goes away ends the call at the account, before and in the middle of its answer', async () => {
  for (const begins of [false, true]) {
    const arrived = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    await using account = await startAccount((_request, response) => {
      response.on('close', ended.resolve);
      if (begins) response.write('data: 1\n\n');
      arrived.resolve();
    });
    await using proxy = await startProxy(supplyOf(account.url));
    const leave = new AbortController();
    const asked = fetch(`${proxy.url}/chat`, { headers, signal: leave.signal });
    asked.catch(() => undefined);
    if (begins) await (await asked).body?.getReader().read();
    await arrived.promise;
    leave.abort();
    await ended.promise;
  }
});

test('1 GB goes through in both directions at once, whole, and memory stays flat', async () => {
  const size = 1024 ** 3;
  await using account = await startAccount((sent, response) => {
    sent.pipe(response);
  });
  await using proxy = await startProxy(supplyOf(account.url));
  const part = Buffer.alloc(256 * 1024, 'x');
  let left = size;
  const body = new Readable({
    read() {
      this.push(left === 0 ? null : part);
      left -= left === 0 ? 0 : part.length;
    },
  });
  const sending = request(`${proxy.url}/echo`, { method: 'PUT', headers });
  body.pipe(sending);
  const [answer] = (await once(sending, 'response')) as [IncomingMessage];
  const startedWith = process.memoryUsage().rss;
  let received = 0;
  let most = 0;
  for await (const chunk of answer) {
    received += chunk.length;
    most = Math.max(most, process.memoryUsage.rss() - startedWith);
  }
  assert.equal(received, size);
  assert.ok(most < 200 * 1024 ** 2, `${Math.round(most / 1024 ** 2)} MB more at most`);
});

test('how long a body is stays as it was said, whatever the method', async () => {
  const bodies: string[] = [];
  await using account = await startAccount(async (sent, response) => {
    let body = '';
    for await (const chunk of sent) body += String(chunk);
    bodies.push(body);
    response.end();
  });
  await using proxy = await startProxy(supplyOf(account.url));
  for (const method of ['GET', 'DELETE', 'POST'])
    for (const length of [undefined, 5]) {
      const sending = request(`${proxy.url}/x`, {
        method,
        headers: {
          ...headers,
          ...(length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': length }),
        },
      });
      sending.end('hello');
      const [answer] = (await once(sending, 'response')) as [IncomingMessage];
      answer.resume();
      await once(answer, 'end');
      assert.equal(bodies.at(-1), 'hello', `${method} ${length}`);
    }
  const empty = await fetch(`${proxy.url}/x`, { method: 'POST', headers });
  await empty.arrayBuffer();
  assert.equal(account.asked.at(-1)?.headers['content-length'], '0');
});

test('after a 401 of the account the next call has another token', async () => {
  await using account = await startAccount((sent, response) => {
    response.writeHead(sent.headers.authorization === 'Bearer token-1' ? 401 : 200).end();
  });
  await using proxy = await startProxy(supplyOf(account.url));
  const statuses: number[] = [];
  for (let call = 0; call < 2; call += 1) statuses.push((await fetch(proxy.url, { headers })).status);
  assert.deepEqual(statuses, [401, 200]);
});

test('a refusal of the broker is final and says why, an outage may be tried again', async () => {
  await using account = await startAccount((_request, response) => void response.end());
  const supply = supplyOf(account.url);
  const cases = [
    [new BrokerError(400, { error: 'invalid_request', error_description: 'revoked' }), 403, /revoked/],
    [
      new BrokerError(503, { error: 'temporarily_unavailable', error_description: 'tables' }, '7'),
      503,
      /tables/,
    ],
    [new CommandFailure('notAllowed', 'You are not signed in.'), 403, /not signed in/],
  ] as const;
  for (const [thrown, status, says] of cases) {
    await using proxy = await startProxy({ ...supply, get: () => Promise.reject(thrown) });
    const answer = await fetch(`${proxy.url}/chat`, { headers });
    assert.equal(answer.status, status);
    assert.match(JSON.stringify(await answer.json()), says);
    assert.equal(answer.headers.get('retry-after'), status === 503 ? '7' : null);
  }
  assert.equal(account.asked.length, 0);
});

test('an account that is not there is told, and nothing about it hangs', async () => {
  const account = await startAccount((_request, response) => void response.end());
  await account[Symbol.asyncDispose]();
  await using proxy = await startProxy(supplyOf(account.url));
  assert.equal((await fetch(proxy.url, { headers })).status, 502);
});
