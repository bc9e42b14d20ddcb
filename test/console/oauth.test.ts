import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askTokens, challengeOf, randomText, readAnswer } from '../../src/console/oauth.ts';

test('the challenge is that of RFC 7636, appendix B', async () => {
  assert.equal(
    await challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'),
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  );
});

test('a verifier and a state have 256 bits, never the same twice, and need no escaping', () => {
  const texts = new Set(Array.from({ length: 100 }, randomText));
  assert.equal(texts.size, 100);
  for (const text of texts) assert.match(text, /^[\w-]{43}$/);
});

test('an answer is read only where it has the state of this sign-in, each member once', () => {
  const read = (query: string, state = 'mine') => readAnswer(new URLSearchParams(query), state);
  assert.deepEqual(read('code=c&state=mine&session_state=s'), { kind: 'code', code: 'c' });
  assert.deepEqual(read('error=login_required&error_description=why&state=mine'), {
    kind: 'error',
    error: 'login_required',
    why: 'why',
  });
  for (const [query, state] of [
    ['code=c'],
    ['code=c&state=theirs'],
    ['code=c&state=mine&state=theirs'],
    ['code=theirs&code=c&state=mine'],
    ['error=access_denied&state=theirs'],
    ['code=&state=mine'],
    ['state=mine'],
    ['code=c&state=', ''],
  ] as const)
    assert.equal(read(query, state), undefined, query);
});

test('tokens come of a bearer answer alone; whatever else is answered, its words are all that is kept', async () => {
  const ask = (status: number, body: unknown) =>
    askTokens(
      async (_, init) => {
        assert.deepEqual([init.credentials, init.redirect], ['omit', 'error']);
        return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
      },
      'https://entra.example/token',
      { code: 'secret-code' },
    );
  const good = { token_type: 'Bearer', access_token: 'a', refresh_token: 'r' };
  assert.deepEqual(await ask(200, good), { access: 'a', refresh: 'r' });
  assert.deepEqual(await ask(200, { token_type: 'bearer', access_token: 'a' }), {
    access: 'a',
    refresh: undefined,
  });
  for (const [status, body] of [
    [200, { ...good, token_type: 'DPoP' }],
    [200, { ...good, access_token: 7 }],
    [400, { ...good, error: 'invalid_grant' }],
    [200, '<html>welcome to the wifi</html>'],
    [200, 'null'],
  ] as const) {
    const answer = await ask(status, body);
    assert.ok('kind' in answer);
    assert.doesNotMatch(JSON.stringify(answer), /secret-code|access/);
  }
  assert.deepEqual(await ask(400, { error: 'invalid_grant', error_description: 'AADSTS50173: over' }), {
    kind: 'no_tokens',
    why: 'AADSTS50173: over',
  });
});
