/** Sign-in by redirect at the simulated Entra, as a browser does it, and what a real one refuses. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import * as demo from '../../../src/local/simulated/demo-directory.ts';
import { claimsOf, control, startTestAzure, type TestAzure } from './fabric-azure.ts';

const REDIRECT = 'http://127.0.0.1:7071/console';
const ORIGIN = new URL(REDIRECT).origin;
let stand: TestAzure;
let base: string;
before(async () => {
  stand = await startTestAzure();
  base = `${stand.azure.entra.browserAuthority}/${demo.tenantId}/oauth2/v2.0`;
});
after(() => stand.close());

const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url');
const verifier = randomBytes(32).toString('base64url');
const scope = `${demo.brokerUri}/Broker.Operate offline_access`;
const asked = (rest: Record<string, string> = {}) =>
  new URLSearchParams({
    client_id: demo.consoleClientId,
    response_type: 'code',
    response_mode: 'fragment',
    redirect_uri: REDIRECT,
    scope,
    state: 'the state',
    code_challenge: challengeOf(verifier),
    code_challenge_method: 'S256',
    ...rest,
  });
const send = (query: URLSearchParams, init: RequestInit = {}) =>
  fetch(`${base}/authorize?${query}`, { redirect: 'manual', ...init });
function answerOf(response: Response): URLSearchParams {
  const location = response.headers.get('location') ?? assert.fail(`${response.status} without a location`);
  assert.ok(location.startsWith(`${REDIRECT}#`));
  return new URLSearchParams(new URL(location).hash.slice(1));
}
async function signIn(person: string): Promise<{ cookie: string; code: string }> {
  const response = await send(asked(), {
    method: 'POST',
    headers: { origin: new URL(base).origin },
    body: new URLSearchParams({ person }),
  });
  assert.equal(response.status, 303);
  const cookie = response.headers.get('set-cookie') ?? '';
  assert.match(cookie, /; HttpOnly; SameSite=Lax$/);
  return { cookie: cookie.split(';')[0] ?? '', code: answerOf(response).get('code') ?? '' };
}
async function redeem(form: Record<string, string>, origin: string | undefined = ORIGIN) {
  const response = await fetch(`${base}/token`, {
    method: 'POST',
    headers: origin === undefined ? {} : { origin },
    body: new URLSearchParams({
      client_id: demo.consoleClientId,
      ...(form['grant_type'] === undefined && {
        grant_type: 'authorization_code',
        redirect_uri: REDIRECT,
        code_verifier: verifier,
      }),
      ...form,
    }),
  });
  const body = (await response.json()) as { [name: string]: unknown };
  const [code] = (body['error_codes'] as number[] | undefined) ?? [];
  return { response, body, code };
}

test('a person is one button, and gets a token with the role and the scope', async () => {
  const page = await (await send(asked())).text();
  assert.deepEqual(
    [...page.matchAll(/<button[^>]*>([^<]*)</g)].map(([, name]) => name),
    ['operator', 'auditor'],
  );
  const { code } = await signIn('operator');
  const { response, body } = await redeem({ code });
  assert.equal(response.headers.get('access-control-allow-origin'), ORIGIN);
  const claims = claimsOf(String(body['access_token']));
  assert.deepEqual(
    [claims['roles'], claims['scp'], claims['azp'], claims['azpacr']],
    [['Broker.Operator'], 'Broker.Operate', demo.consoleClientId, '0'],
  );
  const again = await redeem({ grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) });
  assert.equal(again.response.status, 200);
});

test('silent sign-in answers with a code while there is a session, and else asks for one', async () => {
  const none = answerOf(await send(asked({ prompt: 'none' })));
  assert.deepEqual([none.get('error'), none.get('state')], ['login_required', 'the state']);
  const { cookie } = await signIn('auditor');
  const silent = () => send(asked({ prompt: 'none' }), { headers: { cookie } });
  assert.ok(answerOf(await silent()).get('code'));
  const out = await fetch(`${base}/logout?post_logout_redirect_uri=${encodeURIComponent(REDIRECT)}`, {
    headers: { cookie },
    redirect: 'manual',
  });
  assert.equal(out.headers.get('location'), REDIRECT);
  assert.equal(answerOf(await silent()).get('error'), 'login_required');
});

test('a person who is disabled has no session, and no new token for an old grant', async () => {
  const { cookie, code } = await signIn('auditor');
  const { body } = await redeem({ code });
  const put = (accountEnabled: boolean) => control(stand.azure, 'PUT', '/users/auditor', { accountEnabled });
  await put(false);
  assert.equal(
    answerOf(await send(asked({ prompt: 'none' }), { headers: { cookie } })).get('error'),
    'login_required',
  );
  const refreshed = await redeem({
    grant_type: 'refresh_token',
    refresh_token: String(body['refresh_token']),
  });
  assert.equal(refreshed.code, 50173);
  await put(true);
});

test('a request from elsewhere goes nowhere: unknown client, other address, form of another site', async () => {
  for (const query of [
    asked({ client_id: demo.publicClientId }),
    asked({ redirect_uri: 'https://evil.example/console' }),
    asked({ redirect_uri: `${REDIRECT}/` }),
  ]) {
    const response = await send(query);
    assert.deepEqual([response.status, response.headers.get('location')], [400, null]);
  }
  for (const origin of ['https://evil.example', 'null']) {
    const forged = await send(asked(), { method: 'POST', headers: { origin }, body: 'person=operator' });
    assert.deepEqual([forged.status, forged.headers.get('set-cookie')], [400, null]);
  }
  assert.equal(
    answerOf(await send(asked({ code_challenge_method: 'plain' }))).get('error'),
    'invalid_request',
  );
});

test('a code is redeemed once, with its verifier, at its address, from the origin of the page', async () => {
  const codeOf = async () => (await signIn('operator')).code;
  const refused: [string, Record<string, string>, string | undefined, number][] = [
    ['without an origin', {}, '', 9002327],
    ['from another origin', {}, 'https://evil.example', 9002327],
    ['with another verifier', { code_verifier: 'x'.repeat(43) }, ORIGIN, 501481],
    ['for another address', { redirect_uri: 'https://evil.example' }, ORIGIN, 9002313],
  ];
  for (const [what, form, origin, code] of refused) {
    const answer = await redeem({ code: await codeOf(), ...form }, origin);
    assert.equal(answer.code, code, what);
    assert.equal(answer.body['access_token'], undefined, what);
  }
  const code = await codeOf();
  assert.equal((await redeem({ code })).response.status, 200);
  assert.equal((await redeem({ code })).code, 9002313);
});

test('the password of a person is not taken from a page', async () => {
  const { code } = await redeem({
    grant_type: 'password',
    username: 'operator@example.test',
    password: 'local-operator',
    scope,
  });
  assert.equal(code, 7000218);
});
