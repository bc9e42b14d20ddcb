import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { brokerToken } from '../../src/client/broker-token.ts';
import { type BrokerFetch, fetchWithBroker } from '../../src/client/fetch-with-broker.ts';
import { granted, startFakeBroker } from './fake-broker.ts';

let broker: Awaited<ReturnType<typeof startFakeBroker>>;
before(async () => {
  broker = await startFakeBroker();
});
after(() => broker.close());

/** What the resource was sent, and what it answers to each of these. */
let sent: { url: string; token: string | null; body: unknown }[];
let answers: Response[];
let challenges: (string | undefined)[];
let call: BrokerFetch;
beforeEach(() => {
  broker.asked.length = 0;
  broker.answers((count) => granted(`token-${count}`));
  sent = [];
  answers = [];
  challenges = [];
  const send: typeof fetch = async (url, init) => {
    sent.push({
      url: String(url),
      token: new Headers(init?.headers).get('authorization'),
      body: init?.body,
    });
    return answers.shift() ?? new Response('served');
  };
  const get = brokerToken({
    issuer: broker.issuer,
    resource: 'speech',
    getCallerToken: (claims) => {
      challenges.push(claims);
      return 'caller-token';
    },
  });
  call = fetchWithBroker(get, { fetch: send, alsoAt: ['https://region.example'] });
});
const refusal = (headers = {}) => new Response('no', { status: 401, headers });

test('a path is one of the resource, and the token is added to the headers', async () => {
  const answer = await call('/voices?all', { headers: { accept: 'application/json' } });
  assert.equal(await answer.text(), 'served');
  assert.deepEqual(sent, [
    { url: 'https://speech.example/voices?all', token: 'Bearer token-1', body: undefined },
  ]);
});

test('a 401 is tried once more, with another token and the same body', async () => {
  for (const body of [
    'text',
    new URLSearchParams('a=1'),
    new Blob(['b']),
    new Uint8Array(2),
    new FormData(),
  ]) {
    sent.length = 0;
    answers = [refusal()];
    assert.equal((await call('/', { method: 'POST', body })).status, 200);
    assert.deepEqual(
      sent.map((one) => one.body),
      [body, body],
    );
    assert.notEqual(sent[0]?.token, sent[1]?.token);
  }
});

test('a second 401 is the answer: there is no third try', async () => {
  answers = [refusal(), refusal(), new Response('not reached')];
  assert.equal((await call('/')).status, 401);
  assert.equal(sent.length, 2);
  assert.equal(broker.asked.length, 2);
});

test('a body that can be read only once is not sent again, and its 401 is the answer', async () => {
  const streams = [
    () => new Blob(['b']).stream(),
    async function* () {
      yield new Uint8Array(1);
    },
  ];
  for (const stream of streams) {
    sent.length = 0;
    answers = [refusal(), new Response('not reached')];
    const init = { method: 'POST', body: stream() as unknown as ReadableStream, duplex: 'half' as const };
    const answer = await call('/', init);
    assert.equal(answer.status, 401);
    assert.equal(await answer.text(), 'no');
    assert.equal(sent.length, 1);
  }
});

test('a claims challenge of the service is handed to the one who signs the caller in', async () => {
  const challenge = '{"access_token":{"nbf":{"essential":true,"value":"1772619451"}}}';
  const header = `Bearer error="insufficient_claims", claims="${btoa(challenge)}"`;
  answers = [refusal({ 'www-authenticate': header })];
  assert.equal((await call('/')).status, 200);
  assert.deepEqual(challenges, [undefined, challenge]);
  assert.deepEqual(
    sent.map(({ token }) => token),
    ['Bearer token-1', 'Bearer token-2'],
  );
});

test('the token goes to no other host, but for those that are named', async () => {
  await assert.rejects(call('https://elsewhere.example/'), /no token for https:\/\/elsewhere\.example/);
  await assert.rejects(call('//elsewhere.example/'), /no token/);
  await assert.rejects(call('http://speech.example/'), /no token/);
  assert.deepEqual(sent, []);
  assert.equal((await call('https://region.example/translate')).status, 200);
});

test('where the broker refuses, its words are the end, also instead of the second try', async () => {
  answers = [refusal()];
  broker.answers((count) =>
    count === 1
      ? granted('token-1')
      : { status: 400, body: { error: 'invalid_request', error_description: 'the caller is revoked' } },
  );
  await assert.rejects(call('/'), { name: 'BrokerError', message: 'invalid_request: the caller is revoked' });
  assert.equal(sent.length, 1);
  assert.equal(broker.asked.length, 2);
});

test('the abort signal of a call ends the wait for its token', async () => {
  broker.answers(() => new Promise(() => undefined));
  const reason = new Error('gone');
  const aborts = new AbortController();
  const answer = call('/', { signal: aborts.signal });
  aborts.abort(reason);
  await assert.rejects(answer, reason);
});
