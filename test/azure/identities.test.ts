import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createIdentities } from '../../src/azure/identities.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { type Answered, type Asked, startUpstream } from './upstream-server.ts';

const HEADER = 'the-identity-header';
let upstream: Awaited<ReturnType<typeof startUpstream>>;
let serial = 0;
const granting = ({ path }: Asked): Answered => ({
  status: 200,
  body: {
    access_token: `identity-token-${++serial}`,
    expires_on: String(Math.floor(Date.now() / 1000) + 86_400),
    resource: new URL(path, 'http://x').searchParams.get('resource'),
    token_type: 'Bearer',
  },
});
before(async () => {
  upstream = await startUpstream(granting);
  // As App Service says where its endpoint is.
  process.env['IDENTITY_ENDPOINT'] = `${upstream.url}/msi/token`;
  process.env['IDENTITY_HEADER'] = HEADER;
});
after(() => upstream[Symbol.asyncDispose]());
/** A scope nobody asked for yet, so that no cache answers. */
const freshScope = (): string => `https://resource-${++serial}.example/.default`;

test('each identity is asked for in its own way: the system-assigned one without a client id', async () => {
  upstream.asked.length = 0;
  const identities = createIdentities();
  const own = await identities.token('https://vault.azure.net/.default', undefined);
  const assigned = await identities.token('https://vault.azure.net/.default', 'the-client');
  assert.notEqual(own.token, assigned.token);
  const [first, second] = upstream.asked.map(({ path, headers }) => ({
    query: Object.fromEntries(new URL(path, 'http://x').searchParams),
    header: headers['x-identity-header'],
  }));
  const query = { 'api-version': '2019-08-01', resource: 'https://vault.azure.net' };
  assert.deepEqual(first, { query, header: HEADER });
  assert.deepEqual(second, { query: { ...query, client_id: 'the-client' }, header: HEADER });
});

test('a token is asked for once, also by a hundred at once', async () => {
  upstream.asked.length = 0;
  const identities = createIdentities();
  const scope = freshScope();
  const tokens = await Promise.all(Array.from({ length: 100 }, () => identities.token(scope, 'a')));
  await identities.token(scope, 'a');
  assert.equal(new Set(tokens.map(({ token }) => token)).size, 1);
  assert.equal(upstream.asked.length, 1);
});

test('a library that could not be loaded once is loaded again', async () => {
  let loads = 0;
  const identities = createIdentities(async () => {
    loads += 1;
    if (loads === 1) throw new Error('too many open files');
    return import('@azure/identity');
  });
  const scope = freshScope();
  await assert.rejects(identities.token(scope, 'a'), /too many open files/);
  assert.ok((await identities.token(scope, 'a')).token);
  await identities.token(freshScope(), 'a');
  assert.equal(loads, 2);
});

test('a failure is kept for nobody: what is asked next is asked again', async () => {
  const identities = createIdentities();
  const scope = freshScope();
  const failures: Answered[] = [
    {
      status: 400,
      body: { statusCode: 400, message: 'No User Assigned or Delegated Managed Identity found' },
    },
    { status: 429 },
    { status: 500, body: 'oops' },
    { status: 200, body: '{"access_token":"trunc' },
    { status: 200, body: '<html>' },
    'drops',
  ];
  for (const failure of failures) {
    upstream.answer = () => failure;
    await assert.rejects(identities.token(scope, 'b'), (error) => {
      assert.ok(error instanceof UpstreamFailure, String(error));
      assert.equal(error.service, 'identity');
      assert.ok(!String(error.stack).includes(HEADER));
      return true;
    });
  }
  upstream.answer = granting;
  assert.ok((await identities.token(scope, 'b')).token);
});

test('an answer that never comes is an outage within its deadline, and holds up nobody later', async () => {
  const identities = createIdentities();
  const scope = freshScope();
  upstream.answer = () => 'hangs';
  const startedAt = performance.now();
  await assert.rejects(identities.token(scope, 'c'), UpstreamFailure);
  assert.ok(performance.now() - startedAt < 3_000);
  upstream.answer = granting;
  assert.ok((await identities.token(scope, 'c')).token);
});

test('as an SDK uses it, the credential is the same identity under the same deadline', async () => {
  const credential = createIdentities().credential('d');
  upstream.asked.length = 0;
  const token = await credential.getToken(freshScope());
  assert.match(token?.token ?? '', /^identity-token-/);
  assert.match(upstream.asked[0]?.path ?? '', /client_id=d/);
});
