import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApi, isProblem, pathOf } from '../../src/console/api.ts';
import { createBrokerClock } from '../../src/console/clock.ts';
import { linkTo, readRoute } from '../../src/console/route.ts';
import { createSession } from '../../src/console/session.ts';

function world(answers: readonly (Response | Error)[]) {
  const sent: { readonly url: string; readonly init: RequestInit }[] = [];
  const left = [...answers];
  let key = 0;
  const api = createApi({
    async fetch(url, init) {
      sent.push({ url, init });
      const next = left.shift() ?? new Response('{}');
      if (next instanceof Error) throw next;
      return next;
    },
    token: async (refused) => (refused === undefined ? 'first' : 'second'),
    heard: () => undefined,
    sleep: async () => undefined,
    newKey: () => `key-${++key}`,
  });
  const headers = () => sent.map(({ init }) => new Headers(init.headers));
  return { api, sent, headers };
}
const problem = (status: number) =>
  new Response(JSON.stringify({ title: 't', detail: 'the words', correlation_id: 'c' }), { status });

test('an act whose answer is lost is sent again with the same key, and another act has another one', async () => {
  const { api, headers } = world([new Error('lost'), problem(503), new Response('{"operation":"o"}')]);
  assert.deepEqual(await api.act('revocations', {}), { operation: 'o' });
  await api.act('revocations', {});
  assert.deepEqual(
    headers().map((each) => each.get('idempotency-key')),
    ['key-1', 'key-1', 'key-1', 'key-2'],
  );
});

test('a token that is refused is replaced once, and then the refusal is a value', async () => {
  const { api, headers } = world([problem(401), problem(401)]);
  const answer = await api.get('accounts');
  assert.ok(isProblem(answer) && answer.status === 401 && answer.detail === 'the words');
  assert.deepEqual(
    headers().map((each) => each.get('authorization')),
    ['Bearer first', 'Bearer second'],
  );
});

test('no cookie goes with a request, no redirect is followed, and a name from outside is one part of the path', async () => {
  const { api, sent } = world([]);
  await api.get(pathOf('accounts', '../../oauth2/revoke?x=#'), { find: 'a&b', none: undefined });
  assert.equal(sent[0]?.url, '/operator/accounts/..%2F..%2Foauth2%2Frevoke%3Fx%3D%23?find=a%26b');
  const { credentials, redirect, referrerPolicy } = sent[0]?.init ?? {};
  assert.deepEqual([credentials, redirect, referrerPolicy], ['omit', 'error', 'no-referrer']);
});

test('every place in the console is an address that is read back, and any other text is the first view', () => {
  const params = { by: 'caller', find: '#/record?x=1&y', empty: '' };
  assert.deepEqual(readRoute(linkTo('traffic', params)), {
    view: 'traffic',
    params: { by: 'caller', find: '#/record?x=1&y' },
  });
  for (const text of ['', '#', '#/nowhere', 'javascript:alert(1)', '#/traffic/more', '#/__proto__'])
    assert.deepEqual(readRoute(text), { view: 'accounts', params: {} }, text);
});

test('the broker’s clock is what counts, also where it runs sixty times as fast', () => {
  let readerMs = 1_000_000;
  const clock = createBrokerClock(() => readerMs);
  const atMs = Date.parse('2030-01-01T00:00:00Z');
  clock.heard(new Date(atMs).toUTCString());
  readerMs += 5_000;
  clock.heard(new Date(atMs + 300_000).toUTCString());
  readerMs += 5_000;
  clock.heard(new Date(atMs + 600_000).toUTCString());
  readerMs += 1_000;
  assert.equal(clock.now(), atMs + 660_000);
  clock.heard(null);
  clock.heard('nonsense');
  assert.equal(clock.now(), atMs + 660_000);
  // Set forward, once.
  readerMs += 9_000;
  clock.heard(new Date(atMs + 9_000_000).toUTCString());
  readerMs += 1_000;
  assert.equal(clock.now(), atMs + 9_001_000);
});

test('a token is renewed before its end, once for all who ask, and never where nothing can renew it', async () => {
  const token = (exp: number) =>
    `h.${Buffer.from(JSON.stringify({ exp, roles: ['Broker.Auditor'] })).toString('base64url')}.s`;
  let nowMs = 0;
  let renewals = 0;
  const session = createSession(
    { access: token(600), refresh: 'r' },
    async () => {
      renewals += 1;
      return { access: token(4_200), refresh: undefined };
    },
    () => nowMs,
  );
  assert.equal(session.person.mayAct, false);
  assert.equal(await session.token(), token(600));
  nowMs = 590_000;
  assert.deepEqual(await Promise.all([session.token(), session.token()]), [token(4_200), token(4_200)]);
  assert.equal(renewals, 1);
  const without = createSession(
    { access: token(1), refresh: undefined },
    async () => undefined,
    () => nowMs,
  );
  const ended = await without.token();
  assert.ok(typeof ended !== 'string' && ended.status === 401);
});
