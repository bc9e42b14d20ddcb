import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { forwarder } from '../../../src/cli/loopback/forward.ts';
import { identityEndpoint } from '../../../src/cli/loopback/identity-endpoint.ts';
import { type Listener, listen } from '../../../src/cli/loopback/listen.ts';
import { type Account, sendRaw, startAccount, statusOf, supplyOf } from './raw.ts';

const SECRET = 'the-secret-of-this-run';
const KEY = 'aitb-the-key-of-this-run';
const TOKEN_PATH = '/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com';

let account: Account;
let identity: Listener;
let proxy: Listener;
let forward: ReturnType<typeof forwarder>;
before(async () => {
  account = await startAccount((request, response) => {
    request.resume();
    if (request.url === '/away') response.writeHead(302, { location: 'https://evil.example/x' }).end();
    else if (request.url === '/within') response.writeHead(302, { location: '/models' }).end();
    else response.end('{"ok":true}');
  });
  identity = await listen(0, identityEndpoint([supplyOf(account.url)], SECRET));
  forward = forwarder({ supply: supplyOf(account.url), key: KEY });
  proxy = await listen(0, forward);
});
after(async () => {
  await identity[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  forward.close();
  await account[Symbol.asyncDispose]();
});

interface Attack {
  readonly name: string;
  readonly request: (port: number) => string;
  readonly status: number;
}
const lines = (...all: string[]): string => `${all.join('\r\n')}\r\n\r\n`;
const host = (port: number): string => `Host: 127.0.0.1:${port}`;

const secret = `X-IDENTITY-HEADER: ${SECRET}`;
const onIdentity: readonly Attack[] = [
  { name: 'no secret', request: (p) => lines(`GET ${TOKEN_PATH} HTTP/1.1`, host(p)), status: 401 },
  {
    name: 'a wrong secret of the same length',
    request: (p) =>
      lines(`GET ${TOKEN_PATH} HTTP/1.1`, host(p), `X-IDENTITY-HEADER: ${'x'.repeat(SECRET.length)}`),
    status: 401,
  },
  {
    name: 'a name that a DNS points here (rebinding)',
    request: () => lines(`GET ${TOKEN_PATH} HTTP/1.1`, 'Host: evil.example', secret),
    status: 403,
  },
  {
    name: 'the Host of another port',
    request: (p) => lines(`GET ${TOKEN_PATH} HTTP/1.1`, `Host: 127.0.0.1:${p + 1}`, secret),
    status: 403,
  },
  { name: 'no Host', request: () => lines(`GET ${TOKEN_PATH} HTTP/1.1`, secret), status: 400 },
  {
    name: 'two Hosts',
    request: (p) => lines(`GET ${TOKEN_PATH} HTTP/1.1`, host(p), 'Host: evil.example', secret),
    status: 400,
  },
  {
    name: 'an Origin',
    request: (p) => lines(`GET ${TOKEN_PATH} HTTP/1.1`, host(p), 'Origin: https://evil.example', secret),
    status: 403,
  },
  {
    name: 'what a browser says of itself',
    request: (p) => lines(`GET ${TOKEN_PATH} HTTP/1.1`, host(p), 'Sec-Fetch-Site: cross-site', secret),
    status: 403,
  },
  {
    name: 'a preflight',
    request: (p) =>
      lines(
        `OPTIONS ${TOKEN_PATH} HTTP/1.1`,
        host(p),
        'Origin: https://evil.example',
        'Access-Control-Request-Method: GET',
      ),
    status: 403,
  },
  {
    name: 'another path',
    request: (p) => lines('GET /msi/../msi/token HTTP/1.1', host(p), secret),
    status: 400,
  },
  {
    name: 'an address of elsewhere as target',
    request: (p) => lines(`GET http://evil.example${TOKEN_PATH} HTTP/1.1`, host(p), secret),
    status: 400,
  },
  {
    name: 'a POST',
    request: (p) => lines(`POST ${TOKEN_PATH} HTTP/1.1`, host(p), secret, 'Content-Length: 0'),
    status: 405,
  },
  {
    name: 'a token for something else than Azure AI',
    request: (p) =>
      lines(
        'GET /msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net HTTP/1.1',
        host(p),
        secret,
      ),
    status: 400,
  },
  {
    name: 'a scope that only begins like one of Azure AI',
    request: (p) =>
      lines(
        'GET /msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com.evil.example HTTP/1.1',
        host(p),
        secret,
      ),
    status: 400,
  },
  {
    name: 'an older protocol, whose secret another header has',
    request: (p) =>
      lines(
        'GET /msi/token?api-version=2017-09-01&resource=https%3A%2F%2Fai.azure.com HTTP/1.1',
        host(p),
        secret,
      ),
    status: 400,
  },
];

const key = `Authorization: Bearer ${KEY}`;
const post = (p: number, ...more: string[]): string => lines('POST /x HTTP/1.1', host(p), key, ...more);
const onProxy: readonly Attack[] = [
  { name: 'no key', request: (p) => lines('GET /models HTTP/1.1', host(p)), status: 401 },
  { name: 'a wrong key', request: (p) => lines('GET /models HTTP/1.1', host(p), 'api-key: x'), status: 401 },
  {
    name: 'the right key beside another',
    request: (p) => lines('GET /models HTTP/1.1', host(p), key, 'api-key: other'),
    status: 401,
  },
  {
    name: 'a name that a DNS points here',
    request: () => lines('GET /models HTTP/1.1', 'Host: evil.example', key),
    status: 403,
  },
  {
    name: 'an Origin',
    request: (p) => lines('GET /models HTTP/1.1', host(p), key, 'Origin: null'),
    status: 403,
  },
  {
    name: 'what a browser says of itself',
    request: (p) => lines('GET /models HTTP/1.1', host(p), key, 'Sec-Fetch-Site: same-site'),
    status: 403,
  },
  {
    name: 'an address of elsewhere as target',
    request: (p) => lines('GET http://evil.example/ HTTP/1.1', host(p), key),
    status: 400,
  },
  {
    name: 'a host after two slashes',
    request: (p) => lines('GET //evil.example/ HTTP/1.1', host(p), key),
    status: 400,
  },
  { name: 'dot segments', request: (p) => lines('GET /openai/../admin HTTP/1.1', host(p), key), status: 400 },
  {
    name: 'hidden dot segments',
    request: (p) => lines('GET /openai/%2e%2E/admin HTTP/1.1', host(p), key),
    status: 400,
  },
  {
    name: 'a hidden slash',
    request: (p) => lines('GET /openai%2fadmin HTTP/1.1', host(p), key),
    status: 400,
  },
  { name: 'a backslash', request: (p) => lines('GET /\\evil.example HTTP/1.1', host(p), key), status: 400 },
  {
    name: 'user and host in the target',
    request: (p) => lines('GET @evil.example/ HTTP/1.1', host(p), key),
    status: 400,
  },
  {
    name: 'a hidden line break',
    request: (p) => lines('GET /x%0d%0aHost:evil HTTP/1.1', host(p), key),
    status: 400,
  },
  {
    name: 'two lengths',
    request: (p) => post(p, 'Content-Length: 0', 'Content-Length: 5'),
    status: 400,
  },
  {
    name: 'a length and chunks',
    request: (p) => `${post(p, 'Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    status: 400,
  },
  {
    name: 'a coding that hides chunks',
    request: (p) => `${post(p, 'Transfer-Encoding: gzip, chunked')}0\r\n\r\n`,
    status: 400,
  },
  {
    name: 'a space before the colon',
    request: (p) => `${post(p, 'Transfer-Encoding : chunked')}0\r\n\r\n`,
    status: 400,
  },
  { name: 'a bare line feed in a value', request: (p) => post(p, 'X-A: b\nX-C: d'), status: 400 },
  {
    name: 'a change of protocol',
    request: (p) => lines('GET /x HTTP/1.1', host(p), key, 'Connection: Upgrade', 'Upgrade: h2c'),
    status: 400,
  },
  { name: 'a redirect to elsewhere', request: (p) => lines('GET /away HTTP/1.1', host(p), key), status: 502 },
];

for (const [listener, attacks] of [
  ['run', onIdentity],
  ['proxy', onProxy],
] as const)
  describe(`${listener} refuses`, () => {
    for (const { name, request, status } of attacks)
      test(name, async () => {
        const before = account.asked.length;
        const { port } = listener === 'run' ? identity : proxy;
        const answer = await sendRaw(port, request(port));
        assert.equal(statusOf(answer), status, answer.slice(0, 300));
        assert.doesNotMatch(answer, /token-\d|access-control-allow/i);
        const passed = account.asked.slice(before).filter(({ url }) => url !== '/away');
        assert.deepEqual(passed, [], 'nothing of it has reached the account');
      });
  });

test('a good request is answered at both, so the refusals above are of what is wrong with each', async () => {
  const token = await sendRaw(
    identity.port,
    lines(`GET ${TOKEN_PATH} HTTP/1.1`, host(identity.port), secret, 'Connection: close'),
  );
  assert.equal(statusOf(token), 200);
  assert.deepEqual(JSON.parse(token.split('\r\n\r\n')[1] ?? ''), {
    access_token: 'token-1',
    expires_on: '2000000000',
    resource: 'https://cognitiveservices.azure.com',
    token_type: 'Bearer',
    client_id: 'chat',
  });
  for (const spelled of [key, `api-key: ${KEY}`, `Ocp-Apim-Subscription-Key: ${KEY}`]) {
    const passed = await sendRaw(
      proxy.port,
      lines('GET /models HTTP/1.1', host(proxy.port), spelled, 'Connection: close'),
    );
    assert.equal(statusOf(passed), 200);
    const { headers } = account.asked.at(-1) ?? assert.fail();
    assert.equal(headers.authorization, 'Bearer token-1');
    assert.doesNotMatch(JSON.stringify(headers), /aitb-/, 'the dummy key stays on this machine');
  }
});

test('a redirect within the account leads back to the proxy, where it gets its token again', async () => {
  const answer = await sendRaw(
    proxy.port,
    lines('GET /within HTTP/1.1', host(proxy.port), key, 'Connection: close'),
  );
  assert.match(answer, new RegExp(`location: http://127.0.0.1:${proxy.port}/models\r\n`, 'i'));
});

test('what is about one connection, or says who else speaks, is not passed on', async () => {
  const sent = [
    'Connection: close, X-Hop',
    'X-Hop: 1',
    'X-Forwarded-Host: evil',
    'Forwarded: for=x',
    'X-Stays: yes',
  ];
  await sendRaw(proxy.port, lines('GET /models HTTP/1.1', host(proxy.port), key, ...sent));
  const { headers } = account.asked.at(-1) ?? assert.fail();
  for (const name of ['x-hop', 'x-forwarded-host', 'forwarded']) assert.equal(headers[name], undefined, name);
  assert.equal(headers['x-stays'], 'yes');
  assert.equal(headers.host, new URL(account.url).host);
});
