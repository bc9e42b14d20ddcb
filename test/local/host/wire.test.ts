import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { isTooSlow } from '../../../src/local/host/body.ts';
import { bodyLimitOf, INITIAL_LIMITS } from '../../../src/local/host/wire.ts';
import { seen } from './app/seen.ts';
import { hostInOwnProcess } from './own-process.ts';
import { ask, askRaw, startTestHost } from './running.ts';

const LIMITS = { headersMs: 300, bodyGraceMs: 300, drainMs: 200, lingerMs: 200, checkEveryMs: 50 };
const MAX_BODY_BYTES = 1_000;

let host: Awaited<ReturnType<typeof startTestHost>>;
before(async () => {
  host = await startTestHost({ limits: { ...LIMITS, maxBodyBytes: MAX_BODY_BYTES } });
});
after(() => host.close());

const head = (method: string, path: string, ...headers: string[]) =>
  `${[`${method} ${path} HTTP/1.1`, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n`;
const statusOf = async (text: string) => Number((await askRaw(host.url, text)).slice(9, 12));
const CLOSE = 'Connection: close';

/** A connection that stays open; `received` grows. */
function open(text: string, base = host.url) {
  const { hostname, port } = new URL(base);
  const connection = { received: '', closedAfterMs: Number.NaN };
  const startedAtMs = performance.now();
  const socket = connect(Number(port), hostname);
  socket.write(text);
  socket.on('data', (chunk) => {
    connection.received += chunk.toString('latin1');
  });
  // A reset is one way of being dropped.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      connection.closedAfterMs = performance.now() - startedAtMs;
      resolve();
    });
  });
  return { socket, closed, connection };
}

describe('a body larger than the app setting allows', () => {
  it('is an empty 500 and the end of the connection, and nothing of it is read', async () => {
    for (const sent of ['', 'x'.repeat(500)]) {
      const answer = await askRaw(
        host.url,
        head('POST', '/echo', `Content-Length: ${MAX_BODY_BYTES + 1}`) + sent,
      );
      assert.match(answer, /^HTTP\/1\.1 500 /);
      assert.match(answer, /\r\nConnection: close\r\n/i);
      assert.match(answer, /\r\nContent-Length: 0\r\n[\s\S]*\r\n\r\n$/i);
    }
  });
  it('reaches the function where it is just as large', async () => {
    const { status } = await ask(host.url, '/echo', { method: 'POST', body: 'x'.repeat(MAX_BODY_BYTES) });
    assert.equal(status, 200);
  });
  it('is refused to a client that waits for 100 Continue, without it', async () => {
    const expects = head('POST', '/echo', 'Content-Length: 2000', 'Expect: 100-continue');
    const answer = await askRaw(host.url, expects);
    assert.match(answer, /^HTTP\/1\.1 500 /);
    assert.doesNotMatch(answer, / 100 /);
  });
  it('is 400 from the Event Grid webhook, announced or in chunks', async () => {
    const path = '/runtime/webhooks/eventgrid?functionName=listen';
    for (const chunked of [false, true]) {
      const { status, body } = await ask(host.url, path, {
        method: 'POST',
        headers: ['aeg-event-type', 'Notification'],
        body: JSON.stringify([{ data: 'x'.repeat(2_000) }]),
        chunked,
      });
      assert.deepEqual([status, body], [400, '']);
    }
  });
  it('is answered to every one of 200 clients that send 8 MB, for at most 64 MB of memory', async () => {
    const own = await hostInOwnProcess(MAX_BODY_BYTES);
    const body = Buffer.alloc(8 * 1024 * 1024);
    // Asked twice, so that what it took to start does not count.
    await own.peakRssMb();
    const beforeMb = await own.peakRssMb();
    const connections = Array.from({ length: 200 }, () => {
      const one = open(head('POST', '/echo', `Content-Length: ${body.length}`), own.url);
      one.socket.write(body);
      return one;
    });
    await Promise.all(connections.map(({ closed }) => closed));
    const answers = connections.map(({ connection }) => connection.received.slice(9, 12));
    const grownMb = (await own.peakRssMb()) - beforeMb;
    own.end();
    assert.deepEqual(new Set(answers), new Set(['500']));
    assert.ok(grownMb <= 64, `${grownMb} MB`);
  });
  it('is 100 MiB where the setting is missing or makes no sense', () => {
    assert.deepEqual(bodyLimitOf({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '65536' }), { maxBodyBytes: 65_536 });
    for (const text of [undefined, '', '0', '-1', 'x', '1.5'])
      assert.deepEqual(bodyLimitOf({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: text }), {});
    assert.equal(INITIAL_LIMITS.maxBodyBytes, 104_857_600);
  });
});

describe('a body that comes in chunks', () => {
  it('is not waited for: the function is asked at once, with nothing', async () => {
    const { socket, closed, connection } = open(head('POST', '/echo', 'Transfer-Encoding: chunked'));
    while (!connection.received.includes('"body":""')) await wait(5);
    // Half of it was never sent, so the connection can't be used again.
    await closed;
    assert.ok(connection.closedAfterMs < 2_000);
    socket.destroy();
  });
  it('is of no interest however large it is', async () => {
    const { status } = await ask(host.url, '/echo', {
      method: 'POST',
      chunked: true,
      body: 'x'.repeat(5_000),
    });
    assert.equal(status, 200);
  });
  it('wins over an announced length, and ends the connection', async () => {
    const both = head('POST', '/echo', 'Content-Length: 3', 'Transfer-Encoding: chunked');
    const answer = await askRaw(host.url, `${both}3\r\nabc\r\n0\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*"body":""/);
  });
  it('is 400 in any other encoding', async () => {
    for (const encoding of ['gzip', 'xchunked', 'chunked, gzip'])
      assert.equal(await statusOf(head('POST', '/echo', `Transfer-Encoding: ${encoding}`)), 400, encoding);
  });
});

describe('a client that takes its time', () => {
  afterEach(() => {
    for (const go of seen.waiting.splice(0)) go();
  });
  it('is dropped with 500 when its body is slower than 240 bytes/s after the grace, and frees its place', async () => {
    const slow = Array.from({ length: 4 }, () => open(head('POST', '/wait', 'Content-Length: 900')));
    while ((await ask(host.url, '/echo')).status !== 429) await wait(5);
    await Promise.all(slow.map(({ closed }) => closed));
    for (const { connection } of slow) {
      assert.match(connection.received, /^HTTP\/1\.1 500 [\s\S]*Connection: close/i);
      assert.ok(connection.closedAfterMs >= LIMITS.bodyGraceMs);
    }
    assert.equal((await ask(host.url, '/echo')).status, 200);
  });
  it('is served for as long as its body is just fast enough', async () => {
    const { socket, closed, connection } = open(head('POST', '/echo', CLOSE, 'Content-Length: 900'));
    for (let i = 0; i < 9; i++) {
      socket.write('x'.repeat(100));
      await wait(100);
    }
    await closed;
    assert.match(connection.received, /^HTTP\/1\.1 200 /);
    assert.ok(connection.closedAfterMs > 2 * LIMITS.bodyGraceMs);
  });
  it('is judged as the real host judges: 5 s of grace, then 240 bytes/s over the whole time', () => {
    const tooSlow = (bytes: number, elapsedMs: number) => isTooSlow(bytes, elapsedMs, INITIAL_LIMITS);
    assert.deepEqual([tooSlow(0, 5_000), tooSlow(6, 6_000), tooSlow(1_440, 6_000)], [false, true, false]);
    assert.deepEqual([tooSlow(300 * 600, 600_000), tooSlow(239 * 600, 600_000)], [false, true]);
  });
  it('is 408 when its headers do not come', async () => {
    const { closed, connection } = open('GET /echo HTTP/1.1\r\nHost: lo');
    await closed;
    assert.match(connection.received, /^HTTP\/1\.1 408 /);
    assert.equal(INITIAL_LIMITS.headersMs, 30_000);
  });
  it('may keep a connection for the next request, 130 s in the real host', async () => {
    const { socket, connection } = open(head('GET', '/shape/json'));
    while (!connection.received.includes('{"a":1}')) await wait(5);
    await wait(2 * LIMITS.headersMs);
    socket.write(head('GET', '/shape/json', CLOSE));
    while (connection.received.split('{"a":1}').length < 3) await wait(5);
    assert.equal(INITIAL_LIMITS.keepAliveMs, 130_000);
  });
});

describe('on the wire', () => {
  const cases: [what: string, status: number, text: string][] = [
    ['line feeds alone', 200, `GET /echo HTTP/1.1\nHost: localhost\n${CLOSE}\n\n`],
    ['an expectation that nobody knows', 200, head('GET', '/echo', CLOSE, 'Expect: the-unexpected')],
    ['100 headers', 200, head('GET', '/echo', CLOSE, ...many(98))],
    ['101 headers', 431, head('GET', '/echo', CLOSE, ...many(99))],
    ['150 headers', 431, head('GET', '/echo', ...many(149))],
    ['a header with other than ASCII', 400, head('GET', '/echo', 'X-Name: Gr\u00fc\u00dfe')],
    ['a header with a control character', 400, head('GET', '/echo', 'X-Name: a\u0000b')],
    ['two hosts', 400, head('GET', '/echo', 'Host: localhost')],
    ['OPTIONS of no path', 404, head('OPTIONS', '*', CLOSE)],
    ['a version of the future', 505, 'GET /echo HTTP/2.0\r\nHost: localhost\r\n\r\n'],
  ];
  for (const [what, status, text] of cases)
    it(`${what} is ${status}`, async () => assert.equal(await statusOf(text), status));

  it('100 Continue is said when the body is wanted', async () => {
    const { socket, closed, connection } = open(
      head('POST', '/echo', CLOSE, 'Content-Length: 3', 'Expect: 100-continue'),
    );
    while (!connection.received.startsWith('HTTP/1.1 100 Continue')) await wait(5);
    socket.write('abc');
    await closed;
    assert.match(connection.received, /HTTP\/1\.1 200 [\s\S]*"body":"YWJj"/);
  });

  it('differs from the real host in these, which Node’s parser decides', async () => {
    assert.equal(await statusOf(head('get', '/echo', CLOSE)), 400, 'there: as GET');
    assert.equal(await statusOf(head('GET', '/echo', CLOSE, 'X-Name: a', ' b')), 200, 'there: 400');
    const idle = open('');
    await idle.closed;
    assert.match(idle.connection.received, /^(HTTP\/1\.1 408 |$)/, 'there: dropped after 130 s');
  });
});

function many(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `X-${index}: y`);
}
