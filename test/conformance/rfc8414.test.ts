/** Authorization server metadata, by section, and as a stock client reads it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowInsecureRequests, discovery, None } from 'openid-client';
import { metadata } from '../../src/http/metadata.ts';
import { exchangeEndpoint, TOKEN_EXCHANGE } from './exchange-endpoint.ts';

const document = metadata({ BROKER_ISSUER: 'https://broker.example', BROKER_FRESHNESS_SECONDS: 0 });

test('RFC 8414 section 2: issuer and token_endpoint are there, and what has more than a value is a list', () => {
  assert.equal(document['issuer'], 'https://broker.example');
  assert.equal(document['token_endpoint'], 'https://broker.example/oauth2/token');
  for (const [name, value] of Object.entries(document))
    if (name.endsWith('_supported')) {
      assert.ok(Array.isArray(value), name);
      assert.ok(
        value.every((one) => typeof one === 'string'),
        name,
      );
    }
});

test('RFC 8414 section 2: the grant type is token exchange, and the client needs no secret', () => {
  assert.deepEqual(document['grant_types_supported'], [TOKEN_EXCHANGE]);
  assert.deepEqual(document['token_endpoint_auth_methods_supported'], ['none']);
  for (const endpoint of ['introspection', 'revocation'])
    assert.deepEqual(document[`${endpoint}_endpoint_auth_methods_supported`], ['Bearer'], endpoint);
});

test('RFC 8414 section 2: every endpoint is an https URL under the issuer, without query or fragment', () => {
  for (const [name, value] of Object.entries(document))
    if (name.endsWith('_endpoint')) {
      const { origin, search, hash } = new URL(String(value));
      assert.deepEqual([origin, search, hash], ['https://broker.example', '', ''], name);
    }
});

test('RFC 8414 sections 2 and 3.2: response_types_supported is required, and no member is an empty list', () => {
  assert.ok('response_types_supported' in document);
  for (const [name, value] of Object.entries(document))
    assert.ok(!Array.isArray(value) || value.length > 0, name);
});

test('RFC 8414 section 3.3: the issuer is the one that was asked, whatever Host the request names', async () => {
  await using broker = await exchangeEndpoint();
  const config = await discovery(new URL(broker.url), 'any', undefined, None(), {
    algorithm: 'oauth2',
    execute: [allowInsecureRequests],
  });
  assert.equal(config.serverMetadata().issuer, broker.url);
  const spoofed = await fetch(`${broker.url}/.well-known/oauth-authorization-server`, {
    headers: { 'x-forwarded-host': 'evil.example' },
  });
  assert.equal(((await spoofed.json()) as { issuer: string }).issuer, broker.url);
});
