import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metadata } from '../../src/http/metadata.ts';

test('the metadata says the freshness bound, and nothing that is not offered', () => {
  const document = metadata({ BROKER_ISSUER: 'https://broker.example', BROKER_FRESHNESS_SECONDS: 3 });
  assert.equal(document['revocation_freshness_seconds'], 3);
  for (const member of ['authorization_endpoint', 'jwks_uri', 'registration_endpoint', 'userinfo_endpoint'])
    assert.ok(!(member in document), member);
});
