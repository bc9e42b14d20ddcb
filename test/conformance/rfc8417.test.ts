import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_CLOCKS_DIFFER_SECONDS } from '../../src/clocks.ts';
import { receiver, SESSION_REVOKED, token } from './signals.ts';

test('section 2.2: iss, iat, jti and events are required', async () => {
  await using set = await receiver();
  assert.equal(await set.refuses(token({ iss: undefined })), 'invalid_issuer');
  for (const claim of ['iat', 'jti', 'events'])
    assert.equal(await set.refuses(token({ [claim]: undefined })), 'invalid_request', claim);
});

test('section 2.2: aud may be a text or a list that names us', async () => {
  await using set = await receiver();
  await set.accepts(token({ aud: ['https://other.example.test', 'https://broker.example.test/ssf'] }));
});

test('section 2.2: an event may be an empty object, and nothing but an object', async () => {
  await using set = await receiver();
  for (const event of ['x', 1, null, []])
    assert.equal(await set.refuses(token({ events: { [SESSION_REVOKED]: event } })), 'invalid_request');
  await set.accepts(token({ events: { [SESSION_REVOKED]: {} } }));
});

test('section 2.3: the type is explicit', async () => {
  await using set = await receiver();
  for (const typ of ['JWT', 'at+jwt', '', 7, undefined])
    assert.equal(await set.refuses(token({}, { typ })), 'invalid_request', String(typ));
  await set.accepts(token({}, { typ: 'application/secevent+jwt' }));
});

test('section 2.2: toe is when it happened, before iat', async () => {
  await using set = await receiver();
  const [key = ''] = await set.accepts(token({ toe: 1772619000 }));
  assert.equal(set.world.entries.get(key)?.cutOffSeconds, 1772619000 + MAX_CLOCKS_DIFFER_SECONDS);
});

test('section 5.3: iat orders nothing: an older event that comes later takes nothing back', async () => {
  await using set = await receiver();
  const [key = ''] = await set.accepts(token({ iat: 1772619320 }));
  await set.accepts(token({ iat: 1772619000 }));
  assert.equal(set.world.entries.get(key)?.cutOffSeconds, 1772619320 + MAX_CLOCKS_DIFFER_SECONDS);
});

test('section 4.2: no access token is ever taken for one', async () => {
  await using set = await receiver();
  assert.equal(
    await set.refuses(token({ events: undefined, sub: 'x', exp: 4e9 }, { typ: 'at+jwt' })),
    'invalid_request',
  );
});

test('section 2.2: unknown claims are ignored', async () => {
  await using set = await receiver();
  await set.accepts(token({ txn: 'txn-1', more: { unknown: true } }));
});
