import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOME, USER } from '../revocation/fakes.ts';
import { receiver, SUBJECT, token } from './signals.ts';

const iss = `https://login.microsoftonline.com/${HOME}/v2.0`;

test('section 3: a subject identifier is an object with a format', async () => {
  await using set = await receiver();
  for (const sub_id of ['x', [], {}, { format: 7 }])
    assert.equal(await set.refuses(token({ sub_id })), 'invalid_request', JSON.stringify(sub_id));
});

test('section 3: members of a format are exactly those, and none is null or empty', async () => {
  await using set = await receiver();
  for (const sub_id of [
    { format: 'iss_sub', iss },
    { format: 'iss_sub', iss, sub: '' },
    { format: 'iss_sub', iss, sub: null },
    { format: 'iss_sub', iss, sub: USER, email: 'x@example.test' },
  ])
    assert.equal(await set.refuses(token({ sub_id })), 'invalid_request', JSON.stringify(sub_id));
});

for (const [section, sub_id] of [
  ['3.2.1', { format: 'account', uri: 'acct:jo@example.test' }],
  ['3.2.2', { format: 'email', email: 'nobody@example.test' }],
  ['3.2.4', { format: 'opaque', id: 'x' }],
  ['3.2.5', { format: 'phone_number', phone_number: '+12065550100' }],
  ['3.2.6', { format: 'did', url: 'did:example:123456' }],
  ['3.2.7', { format: 'uri', uri: 'urn:uuid:4e851e98' }],
] as const)
  test(`section ${section}: ${sub_id.format} is understood, and here names nobody of ours`, async () => {
    await using set = await receiver();
    assert.deepEqual(await set.accepts(token({ sub_id })), []);
  });

test('section 3.2.2: an e-mail address is looked up in the directory', async () => {
  await using set = await receiver();
  set.world.users.set('jo@example.test', { objectId: USER, enabled: true, sessionsValidFromMs: undefined });
  const sub_id = { format: 'email', email: 'jo@example.test' };
  assert.deepEqual(await set.accepts(token({ sub_id })), [`user:${HOME}:${USER}`]);
});

test('section 3.2.3: iss_sub names the issuer’s own subject', async () => {
  await using set = await receiver();
  assert.deepEqual(await set.accepts(token({ sub_id: SUBJECT })), [`user:${HOME}:${USER}`]);
});

test('section 3.2.8: aliases are not nested and not empty; each is a name of the one subject', async () => {
  await using set = await receiver();
  const aliases = (...identifiers: unknown[]) => token({ sub_id: { format: 'aliases', identifiers } });
  assert.equal(await set.refuses(aliases()), 'invalid_request');
  assert.equal(await set.refuses(aliases({ format: 'aliases', identifiers: [SUBJECT] })), 'invalid_request');
  assert.deepEqual(await set.accepts(aliases({ format: 'phone_number', phone_number: '+1' }, SUBJECT)), [
    `user:${HOME}:${USER}`,
  ]);
});
