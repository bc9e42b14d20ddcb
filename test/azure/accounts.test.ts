import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAccounts } from '../../src/azure/accounts.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { type Answered, startUpstream } from './upstream-server.ts';

const ACCOUNT =
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/test/providers/Microsoft.CognitiveServices/accounts/speech';
const keys = { status: 200, body: { key1: 'one-key', key2: 'two-key' } };

async function ask(answer: Answered | (() => Answered), operation: 'listKeys' | 'regenerate') {
  await using upstream = await startUpstream(() => (typeof answer === 'function' ? answer() : answer));
  const accounts = createAccounts(upstream.url, async () => 'the-token');
  const found = await (operation === 'listKeys'
    ? accounts.listKeys(ACCOUNT)
    : accounts.regenerate(ACCOUNT, 'Key2')
  ).catch((error: unknown) => {
    assert.ok(error instanceof UpstreamFailure, String(error));
    assert.ok(!String(error.stack).includes('-key') && !String(error.stack).includes(upstream.url));
    return error;
  });
  return { found, asked: upstream.asked };
}

test('both keys are listed, and come as secrets', async () => {
  const { found, asked } = await ask(keys, 'listKeys');
  assert.ok(typeof found === 'object' && 'Key1' in found);
  assert.deepEqual([found.Key1.reveal(), found.Key2.reveal()], ['one-key', 'two-key']);
  const [first] = asked;
  assert.equal(`${first?.method} ${first?.path}`, `POST ${ACCOUNT}/listKeys?api-version=2025-06-01`);
  assert.equal(first?.headers.authorization, 'Bearer the-token');
});

test('a slot is named with a capital letter', async () => {
  const { asked } = await ask(keys, 'regenerate');
  assert.equal(asked[0]?.path, `${ACCOUNT}/regenerateKey?api-version=2025-06-01`);
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), { keyName: 'Key2' });
});

test('what Azure says of the account is a state, not an outage', async () => {
  const refusals: [number, string, string, string][] = [
    [403, 'AuthorizationFailed', 'The client does not have authorization', 'forbidden'],
    [404, 'ResourceNotFound', 'not found', 'notFound'],
    [404, 'ResourceGroupNotFound', 'not found', 'notFound'],
    [400, 'BadRequest', 'Failed to list key. disableLocalAuth is set to be true', 'localAuthDisabled'],
  ];
  for (const [status, code, message, expected] of refusals) {
    for (const operation of ['listKeys', 'regenerate'] as const) {
      const { found } = await ask({ status, body: { error: { code, message } } }, operation);
      assert.equal(found, expected);
    }
  }
});

test('every other answer is an outage: no keys, half of them, another 404, not JSON', async () => {
  const answers: Answered[] = [
    { status: 200, body: { key1: 'one-key' } },
    { status: 200, body: { key1: '', key2: 'two-key' } },
    { status: 200, body: 'one-key two-key' },
    { status: 404, body: 'no such page' },
    { status: 403, body: { error: { code: 'RequestDisallowedByPolicy', message: 'one-key' } } },
    { status: 401, body: {} },
    { status: 302, body: '', headers: { location: 'http://127.0.0.1:9/' } },
    'drops',
  ];
  for (const answer of answers) {
    const { found } = await ask(answer, 'listKeys');
    assert.ok(found instanceof UpstreamFailure, JSON.stringify(answer));
    assert.equal(found.service, 'arm');
  }
});

test('listing is tried again, regenerating never: a second call would make another key', async () => {
  for (const [operation, calls] of [
    ['listKeys', 3],
    ['regenerate', 1],
  ] as const) {
    const { found, asked } = await ask({ status: 503 }, operation);
    assert.ok(found instanceof UpstreamFailure);
    assert.equal(asked.length, calls);
    const dropped = await ask('drops', operation);
    assert.equal(dropped.asked.length, calls);
  }
});

test('a Retry-After longer than the deadline is passed on and not waited for', async () => {
  const { found, asked } = await ask({ status: 429, headers: { 'retry-after': '17' } }, 'listKeys');
  assert.ok(found instanceof UpstreamFailure);
  assert.deepEqual([found.status, found.retryAfterSeconds, asked.length], [429, 17, 1]);
});
