/** A page of an allowed origin, and HEAD, through the running product. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startStack } from './stack.ts';

const APP = 'https://app.example';

test('a page of an allowed origin gets a token after its preflight, and HEAD is answered where GET is', async () => {
  await using stack = await startStack([], { BROKER_CORS_ORIGINS: APP });
  const { broker } = stack.description;
  for (const [path, method] of [
    ['/oauth2/token', 'POST'],
    ['/oauth2/revoke', 'POST'],
    ['/.well-known/oauth-authorization-server', 'GET'],
  ] as const) {
    const preflight = await fetch(`${broker}${path}`, {
      method: 'OPTIONS',
      headers: { origin: APP, 'access-control-request-method': method },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), APP);
    assert.equal(preflight.headers.get('access-control-allow-methods'), method);
    assert.equal(preflight.headers.get('access-control-allow-credentials'), null);
  }
  await stack.warm();
  const subjectToken = await stack.callerToken('captions');
  const exchange = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: 'speech',
  });
  const form = {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Bearer ${subjectToken}`,
  };
  const granted = await stack.post(exchange.toString(), { ...form, origin: APP });
  assert.equal(granted.status, 200);
  assert.equal(granted.headers.get('access-control-allow-origin'), APP);
  assert.equal(granted.headers.get('vary'), 'Origin');
  const other = await stack.post(exchange.toString(), { ...form, origin: 'https://evil.example' });
  assert.equal(other.headers.get('access-control-allow-origin'), null);

  for (const path of ['/.well-known/oauth-authorization-server', '/openapi.json', '/health']) {
    const head = await fetch(`${broker}${path}`, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, ''], path);
    assert.equal(head.headers.get('content-type'), 'application/json');
  }
});
