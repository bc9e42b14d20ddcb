import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSts } from '../../src/azure/sts.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { NOW_MS } from '../exchange/caller.ts';
import { type Answered, startUpstream } from './upstream-server.ts';

const key = new Secret('0123456789abcdef0123456789abcdef');
const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const tokenOf = (claims: object): string =>
  `${encode({ alg: 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256', typ: 'JWT' })}.${encode(claims)}.c2ln`;
const good = tokenOf({ region: 'westeurope', exp: NOW_MS / 1000 + 600 });

async function issue(answer: Answered) {
  await using upstream = await startUpstream(() => answer);
  const issued = await createSts(() => NOW_MS)
    .issue(upstream.url, key)
    .catch((error: unknown) => {
      assert.ok(error instanceof UpstreamFailure, String(error));
      assert.ok(!String(error.stack).includes(key.reveal()) && !String(error.stack).includes(upstream.url));
      return error;
    });
  return { issued, asked: upstream.asked };
}

test('the key goes in its header, never in the URL, and the answer is the bare token', async () => {
  const { issued, asked } = await issue({ status: 200, body: good });
  assert.ok(typeof issued === 'object' && 'token' in issued);
  assert.equal(issued.token.reveal(), good);
  assert.equal(issued.expiresAtMs, NOW_MS + 600_000);
  assert.equal(asked.length, 1);
  const [first] = asked;
  assert.equal(`${first?.method} ${first?.path}`, 'POST /sts/v1.0/issueToken');
  assert.equal(first?.headers['ocp-apim-subscription-key'], key.reveal());
  assert.equal(first?.headers['content-length'], '0');
});

test('a token whose end cannot be read lives ten minutes from the moment of asking', async () => {
  for (const text of [tokenOf({}), tokenOf({ exp: 'soon' }), 'e30.bm90LWpzb24.c2ln', `${good}\n`]) {
    const { issued } = await issue({ status: 200, body: text });
    assert.ok(typeof issued === 'object' && 'token' in issued, text);
    assert.equal(issued.expiresAtMs, NOW_MS + 600_000);
    assert.equal(issued.token.reveal(), text.trim());
  }
});

const envelopes: readonly [string, Answered][] = [
  [
    'the newer envelope',
    {
      status: 401,
      body: {
        error: {
          code: '401',
          message: 'Access denied due to invalid subscription key or wrong API endpoint.',
        },
      },
    },
  ],
  ['the older envelope', { status: 401, body: { statusCode: 401, message: 'Access denied.' } }],
  ['401 without words', { status: 401 }],
  [
    'keys switched off, as seen in the field',
    {
      status: 403,
      body: {
        error: {
          code: 'AuthenticationTypeDisabled',
          message: 'Key based authentication is disabled for this resource.',
        },
      },
    },
  ],
];
for (const [what, answer] of envelopes)
  test(`${what} says that this key is not usable: asked once, no outage`, async () => {
    const { issued, asked } = await issue(answer);
    assert.equal(issued, 'keyRefused');
    assert.equal(asked.length, 1);
  });

const outages: readonly [string, Answered, number][] = [
  ['a used-up quota', { status: 403, body: { statusCode: 403, message: 'Out of call volume quota.' } }, 1],
  [
    'a used-up quota whose words mention switched-off keys',
    { status: 403, body: { statusCode: 403, message: 'Out of quota, not AuthenticationTypeDisabled.' } },
    1,
  ],
  ['a host that does not know it', { status: 404 }, 1],
  ['a throttled service', { status: 429, headers: { 'retry-after': '60' } }, 1],
  ['a service in trouble', { status: 500, body: 'oops' }, 3],
  ['a dropped connection', 'drops', 3],
  ['a page of a captive portal', { status: 200, body: '<!doctype html><p>v1.2.3 welcome' }, 3],
  ['JSON instead of a token', { status: 200, body: { token: good } }, 3],
  ['nothing', { status: 200 }, 3],
  ['two parts of a token', { status: 200, body: 'a.b' }, 3],
];
for (const [what, answer, attempts] of outages)
  test(`${what} is an outage, after a bounded number of calls`, async () => {
    const { issued, asked } = await issue(answer);
    assert.ok(issued instanceof UpstreamFailure);
    assert.equal(issued.service, 'sts');
    assert.equal(asked.length, attempts);
    if (answer !== 'drops' && answer !== 'hangs' && answer.status === 429)
      assert.equal(issued.retryAfterSeconds, 60);
  });
