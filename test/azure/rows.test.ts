import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { byToken, createRows, type Rows } from '../../src/azure/rows.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

const never = new AbortController().signal;
const noSuch = (code: string) => JSON.stringify({ 'odata.error': { code, message: { value: 'gone' } } });

describe('the two table calls that every exchange waits for', () => {
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let asked: IncomingMessage[];
  let sent: string;
  const server = createServer(async (request, response) => {
    asked.push(request);
    sent = '';
    for await (const part of request) sent += String(part);
    answer(request, response);
  });
  let rows: Rows;

  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const noToken = () => Promise.reject(new Error('the development key serves on loopback'));
    rows = createRows(`http://127.0.0.1:${port}/devstoreaccount1`, noToken, () => 0);
  });
  beforeEach(() => {
    asked = [];
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const head = () => rows.etag('state', 'head', "o'clock", never);
  const insert = () => rows.insert('audit', { PartitionKey: 'day', RowKey: 'time', count: 2 }, never);
  const failsWith = (work: Promise<unknown>, status: number, retryAfterSeconds?: number) =>
    assert.rejects(work, (error) => {
      assert(error instanceof UpstreamFailure);
      assert.deepEqual(
        [error.service, error.status, error.retryAfterSeconds],
        ['tables', status, retryAfterSeconds],
      );
      return true;
    });

  it('reads the ETag of a row by its keys, signed, over one connection', async () => {
    answer = (_, response) => response.setHeader('etag', 'W/"1"').end('{}');
    assert.equal(await head(), 'W/"1"');
    assert.equal(await head(), 'W/"1"');
    assert.equal(asked[0]?.url, "/devstoreaccount1/state(PartitionKey='head',RowKey='o''clock')");
    assert.match(asked[0]?.headers.authorization ?? '', /^SharedKeyLite devstoreaccount1:/);
    assert.equal(asked[0]?.socket, asked[1]?.socket);
  });

  it('knows a row that is not there from a table that is not there', async () => {
    answer = (_, response) => response.writeHead(404).end(noSuch('ResourceNotFound'));
    assert.equal(await head(), undefined);
    answer = (_, response) => response.writeHead(404).end(noSuch('TableNotFound'));
    await failsWith(head(), 404);
  });

  it('inserts a row, and takes one that exists for its own earlier attempt', async () => {
    answer = (_, response) => response.writeHead(204).end();
    assert.equal(await insert(), 'inserted');
    assert.deepEqual(JSON.parse(sent), { PartitionKey: 'day', RowKey: 'time', count: 2 });
    assert.equal(asked[0]?.headers.prefer, 'return-no-content');
    answer = (_, response) => response.writeHead(409).end(noSuch('EntityAlreadyExists'));
    assert.equal(await insert(), 'exists');
    answer = (_, response) => response.writeHead(409).end(noSuch('TableBeingDeleted'));
    await failsWith(insert(), 409);
  });

  it('takes what is not a table answer for an outage, never for a row', async () => {
    answer = (_, response) => response.end('<html>welcome to the wifi</html>');
    await failsWith(head(), 0);
    await failsWith(insert(), 0);
  });

  it('says the status and the wait of a refusal', async () => {
    answer = (_, response) => response.writeHead(503, { 'retry-after': '7' }).end('busy');
    await failsWith(head(), 503, 7);
    await failsWith(insert(), 503, 7);
  });

  it('fails when the connection is dropped, before or within the answer', async () => {
    answer = (request) => request.socket.destroy();
    await assert.rejects(head());
    answer = (request, response) => {
      response.writeHead(200, { etag: 'W/"1"', 'content-length': 100 }).write('{');
      setImmediate(() => request.socket.destroy());
    };
    await assert.rejects(head());
  });

  it('stops when it is told to', async () => {
    answer = () => undefined;
    const stop = new AbortController();
    const work = rows.etag('state', 'head', 'head', stop.signal);
    setTimeout(() => stop.abort(), 20);
    await assert.rejects(work, { name: 'AbortError' });
  });
});

it('keeps the identity token of the tables until shortly before its end', async () => {
  let nowMs = 0;
  let tokens = 0;
  const authorize = byToken(
    async () => {
      tokens += 1;
      return { token: `token-${tokens}`, expiresOnTimestamp: nowMs + 3_600_000 };
    },
    () => nowMs,
  );
  assert.equal((await authorize('/state'))['authorization'], 'Bearer token-1');
  nowMs = 3_400_000;
  assert.equal((await authorize('/state'))['authorization'], 'Bearer token-1');
  nowMs = 3_500_000;
  assert.equal((await authorize('/state'))['authorization'], 'Bearer token-2');
});
