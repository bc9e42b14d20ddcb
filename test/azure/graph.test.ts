import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createDirectory } from '../../src/azure/graph.ts';
import { createTransmitterKeys } from '../../src/azure/transmitter-keys.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { publicJwk, START_MS, USER } from '../revocation/fakes.ts';

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(decodeURIComponent(request.url ?? ''));
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
const json = (response: ServerResponse, status: number, body: unknown, headers = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
const directoryAt = (url: string) => createDirectory(url, async () => 'a token');

test('a user is read with just what decides', async () => {
  await using graph = await serve((request, response) => {
    assert.equal(request.headers.authorization, 'Bearer a token');
    json(response, 200, {
      id: USER.toUpperCase(),
      accountEnabled: false,
      signInSessionsValidFromDateTime: '2026-03-04T10:15:20Z',
      displayName: 'ignored',
    });
  });
  assert.deepEqual(await directoryAt(graph.url).user(USER), {
    objectId: USER,
    enabled: false,
    sessionsValidFromMs: Date.UTC(2026, 2, 4, 10, 15, 20),
  });
  assert.deepEqual(graph.asked, [
    `/v1.0/users/${USER}?$select=id,accountEnabled,signInSessionsValidFromDateTime`,
  ]);
});

test('404 in the words of Graph is a user who is gone, another 404 is an outage; every other failure is an outage, with neither body nor URL', async () => {
  let status = 404;
  let code: string | undefined = 'Request_ResourceNotFound';
  let message = 'SECRET';
  await using graph = await serve((_request, response) =>
    json(response, status, { error: { code, message } }),
  );
  assert.equal(await directoryAt(graph.url).user(USER), 'absent');
  // The code decides, and no word of the message: that may say anything.
  message = 'Request_ResourceNotFound';
  for (code of [undefined, 'ResourceNotFound'])
    await assert.rejects(directoryAt(graph.url).user(USER), UpstreamFailure);
  message = 'SECRET';
  code = undefined;
  for (status of [400, 401, 403, 404, 410])
    await assert.rejects(directoryAt(graph.url).user(USER), (error: Error) => {
      assert.ok(error instanceof UpstreamFailure && error.service === 'graph' && error.status === status);
      assert.ok(!error.message.includes('SECRET') && !error.message.includes(graph.url));
      return true;
    });
});

test('a deleted user is found among the deleted items; nobody there is no outage, and every other failure is', async () => {
  let status = 200;
  await using graph = await serve((_request, response) =>
    json(
      response,
      status,
      status === 200 ? { id: USER } : { error: { code: status === 404 ? 'Request_ResourceNotFound' : 'x' } },
    ),
  );
  assert.equal(await directoryAt(graph.url).isDeleted(USER), true);
  assert.deepEqual(graph.asked, [`/v1.0/directory/deletedItems/${USER}?$select=id`]);
  status = 404;
  assert.equal(await directoryAt(graph.url).isDeleted(USER), false);
  status = 403;
  await assert.rejects(directoryAt(graph.url).isDeleted(USER), UpstreamFailure);
});

test('an answer that is not the protocol is an outage, never an enabled user', async () => {
  const bodies = [
    {},
    { id: USER },
    { id: USER, accountEnabled: 'true' },
    { id: USER, accountEnabled: true, signInSessionsValidFromDateTime: 'x' },
    'text',
    [],
  ];
  await using graph = await serve((request, response) =>
    json(response, 200, bodies[Number(request.url?.match(/users\/(\d)/)?.[1])]),
  );
  const answers = await Promise.allSettled(bodies.map((_, n) => directoryAt(graph.url).user(String(n))));
  for (const answer of answers)
    assert.ok(answer.status === 'rejected' && answer.reason instanceof UpstreamFailure);
});

test('Retry-After is honoured when it is short, and told to whoever asks when it is not', async () => {
  let calls = 0;
  await using graph = await serve((_request, response) => {
    calls += 1;
    if (calls === 1) return json(response, 429, {}, { 'retry-after': '1' });
    return json(response, 200, { id: USER, accountEnabled: true });
  });
  assert.equal(((await directoryAt(graph.url).user(USER)) as { enabled: boolean }).enabled, true);
  await using busy = await serve((_request, response) => json(response, 429, {}, { 'retry-after': '120' }));
  await assert.rejects(
    directoryAt(busy.url).user(USER),
    (error: UpstreamFailure) => error.retryAfterSeconds === 120,
  );
});

test('changes are followed by the query of the link alone: an answer leads us nowhere else', async () => {
  await using graph = await serve((request, response) => {
    const more = request.url?.includes('deltatoken=latest');
    json(response, 200, {
      value: more ? [] : [{ id: USER }, { id: 'B', '@removed': { reason: 'changed' } }],
      [more ? '@odata.nextLink' : '@odata.deltaLink']:
        `https://evil.example.test/v1.0/users/delta?$${more ? 'skip' : 'delta'}token=abc`,
    });
  });
  const directory = directoryAt(graph.url);
  const first = await directory.userChanges(undefined);
  assert.deepEqual(first, { items: [], cursor: '?$skiptoken=abc', more: true });
  assert.ok(typeof first === 'object');
  assert.deepEqual(await directory.userChanges(first.cursor), {
    items: [USER, 'b'],
    cursor: '?$deltatoken=abc',
    more: false,
  });
  assert.deepEqual(graph.asked, ['/v1.0/users/delta?$deltatoken=latest', '/v1.0/users/delta?$skiptoken=abc']);
});

test('410 says that the cursor is too old', async () => {
  await using graph = await serve((_request, response) => json(response, 410, {}));
  assert.equal(await directoryAt(graph.url).userChanges('?$deltatoken=old'), 'expired');
});

test('of groups: who left, and which are gone', async () => {
  await using graph = await serve((_request, response) =>
    json(response, 200, {
      value: [
        { id: 'G1', 'members@delta': [{ id: 'In' }, { id: 'Out', '@removed': { reason: 'deleted' } }] },
        { id: 'G2', '@removed': { reason: 'deleted' } },
      ],
      '@odata.deltaLink': 'https://graph.example.test/v1.0/groups/delta?$deltatoken=x',
    }),
  );
  const changes = await directoryAt(graph.url).groupChanges(undefined, ['g1', 'g2']);
  assert.ok(typeof changes === 'object');
  assert.deepEqual(changes.items, [
    { groupId: 'g1', deleted: false, removedMembers: ['out'] },
    { groupId: 'g2', deleted: true, removedMembers: [] },
  ]);
  assert.match(graph.asked[0] ?? '', /\$filter=id eq 'g1' or id eq 'g2'/);
});

test('transmitter keys: one fetch serves an hour, a made-up key id costs one a minute', async () => {
  let nowMs = START_MS;
  await using jwks = await serve((_request, response) => json(response, 200, { keys: [publicJwk] }));
  const keys = createTransmitterKeys(() => nowMs);
  const find = (keyId: string) => keys.find(jwks.url, keyId);
  await Promise.all(Array.from({ length: 5 }, () => find('tx-2026-03')));
  assert.ok(await find('tx-2026-03'));
  assert.equal(jwks.asked.length, 1);
  for (let n = 0; n < 50; n += 1) assert.equal(await find(`made-up-${n}`), undefined);
  assert.equal(jwks.asked.length, 1);
  nowMs += 61_000;
  for (let n = 0; n < 50; n += 1) assert.equal(await find(`made-up-${n}`), undefined);
  assert.equal(jwks.asked.length, 2);
  nowMs += 3_600_000;
  await find('tx-2026-03');
  assert.equal(jwks.asked.length, 3);
});

test('transmitter keys: a known one is believed for a day while its address does not answer', async () => {
  let nowMs = START_MS;
  let status = 200;
  await using jwks = await serve((_request, response) => json(response, status, { keys: [publicJwk] }));
  const keys = createTransmitterKeys(() => nowMs);
  assert.ok(await keys.find(jwks.url, 'tx-2026-03'));
  status = 500;
  nowMs += 23 * 3_600_000;
  assert.ok(await keys.find(jwks.url, 'tx-2026-03'));
  await assert.rejects(keys.find(jwks.url, 'another'), UpstreamFailure);
  nowMs += 2 * 3_600_000;
  await assert.rejects(keys.find(jwks.url, 'tx-2026-03'), UpstreamFailure);
});

test('transmitter keys: an address that fails is asked again after five seconds, however many signals arrive', async () => {
  let nowMs = START_MS;
  await using jwks = await serve((_request, response) => json(response, 404, {}));
  const keys = createTransmitterKeys(() => nowMs);
  for (let n = 0; n < 20; n += 1) await assert.rejects(keys.find(jwks.url, `made-up-${n}`), UpstreamFailure);
  assert.equal(jwks.asked.length, 1);
  nowMs += 5_000;
  await assert.rejects(keys.find(jwks.url, 'x'), UpstreamFailure);
  assert.equal(jwks.asked.length, 2);
});

test('transmitter keys: weak ones and those of another kind are not taken; an outage throws', async () => {
  let body: unknown = {
    keys: [
      { ...publicJwk, n: 'AQAB' },
      { ...publicJwk, kid: 'enc', use: 'enc' },
      { kty: 'oct', kid: 'mac', k: 'eA' },
    ],
  };
  await using jwks = await serve((_request, response) => json(response, 200, body));
  for (const kid of ['tx-2026-03', 'enc', 'mac'])
    assert.equal(await createTransmitterKeys(() => START_MS).find(jwks.url, kid), undefined);
  body = 'not a key set';
  await assert.rejects(
    createTransmitterKeys(() => START_MS).find(jwks.url, 'x'),
    (error: UpstreamFailure) => error.service === 'transmitter',
  );
});
