/** What every simulated service has in common: sockets, TLS, faults, the request log. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, beforeEach, suite, test } from 'node:test';
import {
  createFaults,
  type Fault,
  faultSchema,
  type ServiceName,
  serviceNames,
} from '../../../src/local/simulated/faults.ts';
import { createRequestLog } from '../../../src/local/simulated/requests.ts';
import { createServe, type Endpoint, type Served } from '../../../src/local/simulated/service.ts';
import { serveStorage } from '../../../src/local/simulated/storage.ts';
import { createTls, trust } from '../../../src/local/simulated/tls.ts';

const tls = createTls();
trust(tls.ca);
const faults = createFaults();
const requests = createRequestLog();
const logged: string[] = [];
const fabric = { tls, faults, requests, now: () => 1_000, log: (line: string) => void logged.push(line) };
const serve = createServe(fabric);
const running: Served[] = [];
let worked = 0;

async function start(endpoint: Partial<Endpoint>): Promise<string> {
  const served = await serve({
    service: 'keyvault',
    port: 0,
    operation: ({ url }) => url.pathname.slice(1).replaceAll('-', ' '),
    handle: ({ body }) => {
      worked += 1;
      return {
        status: 201,
        headers: { 'x-of-its-own': '1' },
        body: { body },
        resource: 'r',
        by: 'c',
        keyFingerprint: 'f',
      };
    },
    ...endpoint,
  });
  running.push(served);
  return served.url;
}
const secure = await start({});
const plain = await start({ service: 'identity', plain: true });
beforeEach(() => {
  faults.clear();
  worked = 0;
});
after(() => Promise.all(running.map((served) => served.close())));

async function ask(url: string): Promise<string> {
  try {
    const answer = await fetch(url, { method: 'POST', body: 'hello', signal: AbortSignal.timeout(10_000) });
    return `${answer.status} ${await answer.text()}`;
  } catch (error) {
    const { cause, name } = error as Error & { cause?: { code?: string } };
    return cause?.code ?? name;
  }
}

suite('serving', () => {
  test('a service answers over TLS to fetch and to https alike, once its authority is trusted', async () => {
    assert.equal(await ask(`${secure}/read`), '201 {"body":"hello"}');
    const [response] = await once(get(`${secure}/read`), 'response');
    response.resume();
    assert.equal(response.statusCode, 201);
    assert.equal(response.headers['content-type'], 'application/json; charset=utf-8');
    assert.equal(response.headers['x-of-its-own'], '1');
  });

  test('the certificate is good for both spellings of loopback', async () => {
    assert.match(await ask(`${secure.replace('localhost', '127.0.0.1')}/read`), /^201/);
  });

  test('a taken port gives way to another one', async () => {
    const other = await start({ port: Number(new URL(plain).port), plain: true });
    assert.notEqual(other, plain);
    assert.match(await ask(other), /^201/);
  });

  test('a handler that throws costs its caller the connection, and is told', async () => {
    const broken = await start({
      plain: true,
      handle: () => {
        throw new Error('a bug');
      },
    });
    assert.equal(await ask(broken), 'UND_ERR_SOCKET');
    assert.match(logged.pop() ?? '', /a bug/);
  });

  test('closing ends kept connections at once', async () => {
    const served = await serve({
      service: 'sts',
      port: 0,
      plain: true,
      operation: () => '',
      handle: () => ({ status: 200 }),
    });
    const response = await fetch(served.url);
    await response.text();
    const startedMs = performance.now();
    await served.close();
    assert.ok(performance.now() - startedMs < 5000);
    assert.equal(await ask(served.url), 'ECONNREFUSED');
  });

  test('closing does not wait for a slow answer', async () => {
    const served = await serve({
      service: 'sts',
      port: 0,
      plain: true,
      operation: () => '',
      handle: () => ({ status: 200 }),
    });
    faults.set('sts', { mode: 'slow', delayMs: 60_000 });
    const before = requests.last;
    const asked = ask(served.url);
    while (requests.last === before) await new Promise(setImmediate);
    await served.close();
    assert.equal(await asked, 'UND_ERR_SOCKET');
    assert.deepEqual(logged, []);
  });
});

suite('faults', () => {
  test('down: nobody gets through, on kept connections neither, and nothing is done or logged', async () => {
    for (const [service, url] of [
      ['keyvault', secure],
      ['identity', plain],
    ] as const) {
      assert.match(await ask(url), /^201/);
      worked = 0;
      const before = requests.last;
      faults.set(service, { mode: 'down' });
      assert.match(await ask(url), /^(ECONNRESET|UND_ERR_SOCKET)$/);
      assert.match(await ask(url), /^(ECONNRESET|UND_ERR_SOCKET)$/);
      assert.equal(worked, 0);
      assert.equal(requests.last, before);
      faults.clear(service);
      assert.match(await ask(url), /^201/);
    }
  });

  test('slow: answers late, in wall time', async () => {
    faults.set('keyvault', { mode: 'slow', delayMs: 150 });
    const startedMs = performance.now();
    assert.match(await ask(secure), /^201/);
    assert.ok(performance.now() - startedMs >= 145);
  });

  test('garbage: 200 with what is not the protocol, and no work', async () => {
    faults.set('keyvault', { mode: 'garbage' });
    assert.match(await ask(secure), /^200 <html>/);
    assert.equal(worked, 0);
  });

  test('lost: the work is done, the answer is not given', async () => {
    faults.set('keyvault', { mode: 'lost' });
    assert.equal(await ask(secure), 'UND_ERR_SOCKET');
    assert.equal(worked, 1);
  });

  test("status: the service's own error body, Retry-After where wanted, and no work", async () => {
    const bodies: Record<ServiceName, RegExp> = {
      entra: /^\{"error":"temporarily_unavailable","error_description":"AADSTS/,
      identity: /^\{"statusCode":429,"message"/,
      keyvault: /^\{"error":\{"code":"Throttled"/,
      arm: /^\{"error":\{"code":"TooManyRequests"/,
      sts: /^\{"error":\{"code":"429"/,
      tables: /^\{"odata.error":\{"code"/,
      queues: /^<\?xml .*<Error><Code>ServerBusy</,
      blobs: /^<\?xml .*<Error><Code>ServerBusy</,
      graph: /^\{"error":\{"code":"TooManyRequests"/,
    };
    for (const service of serviceNames) {
      const url = await start({ service, plain: true });
      faults.set(service, { mode: 'status', status: 429, retryAfterSeconds: 7 });
      const answer = await fetch(url);
      assert.equal(answer.status, 429);
      assert.equal(answer.headers.get('retry-after'), '7');
      assert.match(await answer.text(), bodies[service], service);
    }
    assert.equal(worked, 0);
  });

  test('an operation is struck by its name, or by the first word of it, and no other', async () => {
    for (const operation of ['get', 'get secret']) {
      faults.set('keyvault', { mode: 'garbage', operation });
      assert.match(await ask(`${secure}/get-secret`), /^200/);
      assert.match(await ask(`${secure}/getter`), /^201/);
      assert.match(await ask(`${secure}/set-secret`), /^201/);
    }
  });

  test('a share of the calls is struck', () => {
    let drawn = 0;
    const even = createFaults(() => (drawn++ % 10) / 10);
    even.set('arm', { mode: 'down', share: 0.3 });
    const struck = Array.from({ length: 100 }, () => even.strike('arm', 'listKeys')).filter(Boolean);
    assert.equal(struck.length, 30);
    assert.equal(even.unreachable('arm'), false, 'connections are not refused for a share');
  });

  test('what is not a fault is refused by its shape', () => {
    const wrong = [
      { mode: 'on fire' },
      { mode: 'down', share: 2 },
      { mode: 'slow' },
      { mode: 'down', delayMs: 1 },
    ];
    for (const fault of wrong)
      assert.equal(faultSchema.safeParse(fault).success, false, JSON.stringify(fault));
  });
});

suite('the request log', () => {
  test('says who did what to what with which key, and which fault struck', async () => {
    const before = requests.last;
    await ask(`${secure}/get-secret`);
    faults.set('keyvault', { mode: 'status', status: 500 });
    await ask(`${secure}/get-secret`);
    const common = { atMs: 1_000, service: 'keyvault', operation: 'get secret' };
    assert.deepEqual(requests.after(before), [
      {
        n: before + 1,
        ...common,
        resource: 'r',
        status: 201,
        by: 'c',
        keyFingerprint: 'f',
        fault: undefined,
      },
      {
        n: before + 2,
        ...common,
        resource: undefined,
        status: 500,
        by: undefined,
        keyFingerprint: undefined,
        fault: 'status',
      },
    ]);
  });

  test('keeps the newest, in order, and finds by service and number', () => {
    const log = createRequestLog(3);
    const entry = {
      atMs: 0,
      operation: '',
      resource: undefined,
      status: 200,
      by: undefined,
      keyFingerprint: undefined,
      fault: undefined,
    };
    for (const service of ['arm', 'sts', 'arm', 'ai', 'arm'] as const) log.add({ ...entry, service });
    assert.deepEqual(
      log.after(0).map(({ n }) => n),
      [3, 4, 5],
    );
    assert.deepEqual(
      log.after(3).map(({ n }) => n),
      [4, 5],
    );
    assert.deepEqual(
      log.after(0, 'ai').map(({ n }) => n),
      [4],
    );
    assert.deepEqual(log.after(9), []);
    assert.equal(log.last, 5);
  });
});

suite('tables', async () => {
  const seen: string[] = [];
  const azurite = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (chunk) => {
      body += chunk;
    });
    incoming.on('end', () => {
      seen.push(`${incoming.method} ${incoming.url} ${incoming.headers['x-ms-date'] ?? ''} ${body}`);
      response.writeHead(202, { etag: 'W/"1"' }).end('kept');
    });
  }).listen(0, '127.0.0.1');
  await once(azurite, 'listening');
  const address = () => `http://127.0.0.1:${(azurite.address() as AddressInfo).port}/devstoreaccount1`;
  const proxy = await serveStorage(fabric, { service: 'tables', port: 0, azurite: address });
  running.push(proxy);
  const account = `${proxy.url}/devstoreaccount1`;
  after(() => azurite.close());

  test('a call passes through as it is, and its answer too', async () => {
    const answer = await fetch(`${account}/audit(PartitionKey='a%2Fb',RowKey='c')?$select=x`, {
      method: 'PUT',
      headers: { 'x-ms-date': 'today' },
      body: 'entity',
    });
    assert.equal(answer.status, 202);
    assert.equal(answer.headers.get('etag'), 'W/"1"');
    assert.equal(await answer.text(), 'kept');
    assert.equal(
      seen.pop(),
      "PUT /devstoreaccount1/audit(PartitionKey='a%2Fb',RowKey='c')?$select=x today entity",
    );
  });

  test('a large body passes whole, and is one request', async () => {
    const body = 'x'.repeat(3_000_000);
    const before = requests.last;
    await (await fetch(`${account}/audit`, { method: 'POST', body })).text();
    assert.ok(seen.pop()?.endsWith(` ${body}`));
    assert.equal(requests.last, before + 1);
  });

  test('a store that is not there costs the caller its connection', async () => {
    const nowhere = await serveStorage(fabric, {
      service: 'tables',
      port: 0,
      azurite: () => 'http://127.0.0.1:1/devstoreaccount1',
    });
    running.push(nowhere);
    assert.match(await ask(`${nowhere.url}/devstoreaccount1/audit`), /^(ECONNRESET|UND_ERR_SOCKET)$/);
  });

  const names: [string, string, string][] = [
    ['GET', "/state(PartitionKey='p',RowKey='r')", 'GetEntity state'],
    ['GET', '/state()?$filter=x', 'QueryEntities state'],
    ['GET', '/state', 'QueryEntities state'],
    ['POST', '/audit', 'InsertEntity audit'],
    ['PUT', "/state(PartitionKey='p',RowKey='r')", 'InsertOrReplaceEntity state'],
    ['PATCH', "/state(PartitionKey='p',RowKey='r')", 'InsertOrMergeEntity state'],
    ['DELETE', "/state(PartitionKey='p',RowKey='r')", 'DeleteEntity state'],
    ['POST', '/$batch', 'Transaction'],
    ['POST', '/Tables', 'CreateTable'],
    ['DELETE', "/Tables('state')", 'DeleteTable'],
    ['GET', '/Tables', 'QueryTables'],
  ];
  for (const [method, path, operation] of names) {
    test(`${method} ${path} is ${operation}`, async () => {
      await (await fetch(`${account}${path}`, { method })).text();
      assert.equal(requests.after(requests.last - 1)[0]?.operation, operation);
    });
  }

  test('every fault strikes here as elsewhere; only lost and slow let the work be done', async () => {
    const expected: [Fault, RegExp, number][] = [
      [{ mode: 'down' }, /^(ECONNRESET|UND_ERR_SOCKET)$/, 0],
      [{ mode: 'down', operation: 'InsertEntity' }, /^UND_ERR_SOCKET$/, 0],
      [{ mode: 'garbage' }, /^200 <html>/, 0],
      [{ mode: 'status', status: 503 }, /^503 \{"odata.error"/, 0],
      [{ mode: 'lost' }, /^UND_ERR_SOCKET$/, 1],
      [{ mode: 'slow', delayMs: 20 }, /^202 kept$/, 1],
      [{ mode: 'down', operation: 'GetEntity' }, /^202 kept$/, 1],
    ];
    for (const [fault, answer, work] of expected) {
      seen.length = 0;
      faults.set('tables', fault);
      assert.match(await ask(`${account}/audit`), answer, JSON.stringify(fault));
      assert.equal(seen.length, work, JSON.stringify(fault));
    }
  });

  test('slow: the log has the call when its work is done, while the answer is kept back', async () => {
    seen.length = 0;
    const { last } = requests;
    faults.set('tables', { mode: 'slow', delayMs: 60_000 });
    const asking = new AbortController();
    const answer = fetch(`${account}/audit`, { signal: asking.signal });
    let logged = requests.after(last);
    while (logged.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      logged = requests.after(last);
    }
    assert.deepEqual([logged[0]?.status, logged[0]?.fault, seen.length], [202, 'slow', 1]);
    asking.abort();
    await assert.rejects(answer);
    faults.clear();
  });

  test('a caller that goes away in the middle does not keep a connection to the store', async () => {
    const arrived = once(azurite, 'request');
    const half = request(`${account}/audit`, { method: 'POST', headers: { 'content-length': 10 } });
    half.on('error', () => undefined);
    half.write('12345');
    const [incoming] = (await arrived) as [IncomingMessage];
    const gone = new Promise((resolve) => incoming.socket.once('close', resolve));
    half.destroy();
    await gone;
    assert.equal(incoming.complete, false);
  });
});
