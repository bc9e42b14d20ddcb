/** What an app's developer reads for each fault between the app and the broker, and what its code can decide by. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { BrokerError } from '../../src/client/broker-error.ts';
import { type BrokerTokenOptions, brokerToken } from '../../src/client/broker-token.ts';
import { createTls } from '../../src/local/simulated/tls.ts';
import { type Answer, granted, startFakeBroker } from './fake-broker.ts';

const open: Server[] = [];
async function portOf(server: Server): Promise<number> {
  open.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}
after(() => {
  for (const server of open) server.close();
});

async function failure(options: Partial<BrokerTokenOptions> & { issuer: string }): Promise<BrokerError> {
  const get = brokerToken({
    getCallerToken: () => 'caller-token',
    resource: 'speech',
    wait: async () => undefined,
    ...options,
  });
  const error = await get().then(
    () => assert.fail('it got a token'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof BrokerError, inspect(error));
  assert.doesNotMatch(inspect(error, { depth: 9 }), /caller-token|pass-word/);
  return error;
}

/** As Node's fetch fails. */
const failsWith =
  (cause: object | undefined): typeof fetch =>
  async () => {
    throw new TypeError('fetch failed: caller-token', { cause });
  };
const ISSUER = 'https://user:pass-word@broker.example';
const AT = 'https://broker.example';
const UNTRUSTED = `certificate_refused: the certificate of ${AT} is of an authority that this process does not trust; in Node NODE_EXTRA_CA_CERTS names the file of one more`;

const rows: readonly (readonly [code: string, message: string])[] = [
  ['ECONNREFUSED', `temporarily_unavailable: the broker at ${AT} was not reached: nothing listens there`],
  ['ENOTFOUND', `temporarily_unavailable: the broker at ${AT} was not reached: its host name is not known`],
  [
    'EAI_AGAIN',
    `temporarily_unavailable: the broker at ${AT} was not reached: its host name cannot be looked up now`,
  ],
  ['ECONNRESET', `temporarily_unavailable: the broker at ${AT} was not reached: the connection was cut`],
  [
    'UND_ERR_CONNECT_TIMEOUT',
    `temporarily_unavailable: the broker at ${AT} was not reached: its host does not answer`,
  ],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
  [
    'CERT_HAS_EXPIRED',
    `certificate_refused: the certificate of ${AT} has expired, or the clock of this machine is wrong`,
  ],
  ['ERR_TLS_CERT_ALTNAME_INVALID', `certificate_refused: the certificate of ${AT} is of another host name`],
  ['ERR_SSL_WRONG_VERSION_NUMBER', `not_a_broker: no broker is at ${AT}: no TLS is spoken there`],
];

describe('an app that does not reach the broker', () => {
  for (const [code, message] of rows)
    it(`reads for ${code}: "${message}"`, async () => {
      const error = await failure({ issuer: ISSUER, fetch: failsWith(Object.assign(new Error(), { code })) });
      assert.equal(error.status, 0);
      assert.ok(error.message.startsWith(`${message} (${code})`), error.message);
      assert.ok(message.startsWith(`${error.code}: `));
    });

  it('reads in a browser, which does not tell why, what it may be', async () => {
    const error = await failure({ issuer: ISSUER, fetch: failsWith(undefined) });
    assert.equal(error.code, 'temporarily_unavailable');
    assert.match(error.message, /may be down, .*certificate.*BROKER_CORS_ORIGINS/);
  });

  it('reads that nothing listens, of a real connection', async () => {
    const server = createTcpServer();
    const port = await portOf(server);
    server.close();
    const { code, message } = await failure({ issuer: `http://127.0.0.1:${port}` });
    assert.equal(code, 'temporarily_unavailable');
    assert.match(message, /nothing listens there \(ECONNREFUSED\)$/);
  });

  it('reads that the certificate is not trusted, of a real connection', async () => {
    const { key, cert } = createTls();
    const port = await portOf(createTlsServer({ key, cert }));
    const { code, status, message } = await failure({ issuer: `https://localhost:${port}` });
    assert.deepEqual([code, status], ['certificate_refused', 0]);
    assert.match(message, /NODE_EXTRA_CA_CERTS/);
  });

  it('reads that no TLS is spoken, of a real connection to a plain server', async () => {
    const port = await portOf(createPlainServer((_, response) => response.end()));
    assert.equal((await failure({ issuer: `https://127.0.0.1:${port}` })).code, 'not_a_broker');
  });

  it('reads that the connection was cut, also in the middle of an answer', async () => {
    const port = await portOf(
      createPlainServer((_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"access', () => response.destroy());
      }),
    );
    const { code, message } = await failure({ issuer: `http://127.0.0.1:${port}` });
    assert.equal(code, 'temporarily_unavailable');
    assert.match(message, /the connection was cut \(/);
  });

  it('reads that the issuer is no URL', async () => {
    const { code, message } = await failure({ issuer: 'broker.example' });
    assert.equal(code, 'not_a_broker');
    assert.match(message, /the issuer is no URL.*https:\/\/broker\.example\.com/);
  });
});

describe('an app that is answered', () => {
  let broker: Awaited<ReturnType<typeof startFakeBroker>>;
  before(async () => {
    broker = await startFakeBroker();
  });
  after(() => broker.close());

  const notABroker: readonly (readonly [what: string, answer: Answer, words: string])[] = [
    ['HTML', { status: 200, body: '<html>' }, '200, not as a broker does'],
    ['a page that is not there', { status: 404, body: '<html>' }, '404, not as a broker does'],
    ['an empty 404 of a Functions host', { status: 404, body: '' }, '404, not as a broker does'],
    ['an empty 405', { status: 405, body: '' }, '405, not as a broker does'],
    ['other JSON', { status: 404, body: { message: 'no such API' } }, '404, not as a broker does'],
    [
      'an error of Resource Manager',
      { status: 401, body: { error: { code: 'x' } } },
      '401, not as a broker does',
    ],
    ['JSON that is no object', { status: 200, body: 'null' }, '200, not as a broker does'],
    [
      'no token',
      { status: 200, body: { token_type: 'Bearer', expires_in: 600 } },
      '200, not as a broker does',
    ],
    ['a token without a life', { status: 200, body: { access_token: 't' } }, '200, not as a broker does'],
    [
      'a redirect',
      { status: 302, headers: { location: 'https://example.com' }, body: '' },
      'with a redirect',
    ],
  ];
  for (const [what, answer, words] of notABroker)
    it(`with ${what} reads that no broker is there, and has no reason to try again`, async () => {
      broker.answers(() => answer);
      const error = await failure({ issuer: broker.issuer });
      assert.deepEqual([error.code, error.status], ['not_a_broker', answer.status]);
      assert.equal(
        error.message,
        `not_a_broker: no broker is at ${broker.issuer}: it answers ${words}; check the issuer`,
      );
    });

  it('with a redirect sends its token nowhere else', async () => {
    const other = await startFakeBroker();
    broker.answers(() => ({ status: 307, headers: { location: `${other.issuer}/oauth2/token` }, body: '' }));
    await failure({ issuer: broker.issuer });
    other.close();
    assert.equal(other.asked.length, 0);
  });

  for (const status of [429, 500, 502, 503])
    it(`${status} in other words than the broker's takes it for an outage, with its Retry-After`, async () => {
      broker.answers(() => ({ status, headers: { 'retry-after': '7' }, body: '<html>' }));
      const error = await failure({ issuer: broker.issuer });
      assert.deepEqual(
        [error.code, error.status, error.retryAfterSeconds],
        ['temporarily_unavailable', status, 7],
      );
      assert.match(error.message, new RegExp(`answers ${status}, not in the broker's words`));
    });

  it('never reads that it waited too long without for how long', async () => {
    broker.answers(() => new Promise(() => undefined));
    const error = await failure({ issuer: broker.issuer, timeoutMs: 50 });
    assert.equal(
      error.message,
      `temporarily_unavailable: the broker at ${broker.issuer} did not answer within 50 ms`,
    );
  });

  it('reads the correlation id in the message, which is what its log keeps', async () => {
    const body = { error: 'invalid_target', error_description: 'no such target', correlation_id: '0af7' };
    broker.answers(() => ({ status: 400, body }));
    const { message } = await failure({ issuer: broker.issuer });
    assert.equal(message, 'invalid_target: no such target (correlation id 0af7)');
  });

  for (const slashes of ['/', '//'])
    it(`is served also with ${slashes} at the end of its issuer`, async () => {
      broker.answers(() => granted('t'));
      const get = brokerToken({
        issuer: `${broker.issuer}${slashes}`,
        getCallerToken: () => 'caller-token',
        resource: 'speech',
      });
      assert.equal((await get()).accessToken, 't');
      // The fake keeps the form of a request to /oauth2/token only.
      assert.equal(broker.asked.at(-1)?.get('resource'), 'speech');
    });
});
