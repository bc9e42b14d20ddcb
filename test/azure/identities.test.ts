import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createIdentities } from '../../src/azure/identities.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

test('an identity endpoint that never answers fails in time, and the next call does not wait for it', async (t) => {
  let isStuck = true;
  const server = createServer((_, response) => {
    if (isStuck) return;
    const expires_on = String(Math.floor(Date.now() / 1000) + 86_400);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ access_token: 'an identity token', expires_on, token_type: 'Bearer' }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  process.env['IDENTITY_ENDPOINT'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi/token`;
  process.env['IDENTITY_HEADER'] = 'a header';
  t.after(() => {
    delete process.env['IDENTITY_ENDPOINT'];
    delete process.env['IDENTITY_HEADER'];
  });

  const identities = createIdentities();
  const identity = '8f7e0b3c-a1d9-4682-9c4e-8b2d6f10a753';
  await assert.rejects(identities.token('https://vault.azure.net/.default', identity), (error) => {
    return error instanceof UpstreamFailure && error.service === 'identity';
  });
  isStuck = false;
  const token = await identities.token('https://vault.azure.net/.default', identity);
  assert.equal(token.token, 'an identity token');
});
