import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readBearer, readTokenRequest } from '../../src/http/token-request.ts';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const good = {
  grant_type: GRANT_TYPE,
  subject_token: 'a.b.c',
  subject_token_type: ACCESS_TOKEN,
  resource: 'speech',
};
const FORM = 'application/x-www-form-urlencoded';
const read = (body: string, headers: Record<string, string> = {}) =>
  readTokenRequest({ headers: new Headers({ 'content-type': FORM, ...headers }), body });
const form = (members: Record<string, string | undefined>, more = ''): string =>
  new URLSearchParams(
    Object.entries(members).filter((pair): pair is [string, string] => pair[1] !== undefined),
  ) + more;
const asJson = (body: string) => read(body, { 'content-type': 'application/json; charset=utf-8' });
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const plain = {
  subjectToken: 'a.b.c',
  target: 'speech',
  tokenKind: undefined,
  scope: undefined,
  requestedType: ACCESS_TOKEN,
};

test('form and JSON are read alike', () => {
  assert.deepEqual(read(form(good)), plain);
  assert.deepEqual(asJson(JSON.stringify(good)), plain);
  assert.deepEqual(
    read(form(good), { 'content-type': 'Application/X-WWW-Form-URLEncoded;charset=UTF-8' }),
    plain,
  );
});

test('the subject token may be the Bearer token instead', () => {
  const { subject_token: _, subject_token_type: __, ...rest } = good;
  assert.deepEqual(read(form(rest), { authorization: 'Bearer a.b.c' }), plain);
  assert.deepEqual(read(form(rest), { authorization: 'bearer   a.b.c' }), plain);
});

test('every parameter that has a meaning is read', () => {
  const all = {
    ...good,
    requested_token_type: ACCESS_TOKEN,
    token_kind: 'entra',
    scope: 's',
    client_id: 'anyone',
  };
  assert.deepEqual(read(form(all)), { ...plain, tokenKind: 'entra', scope: 's' });
  const { resource: _, ...rest } = { ...good, subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' };
  assert.deepEqual(read(form({ ...rest, audience: 'https://speech.example' })), {
    ...plain,
    target: 'https://speech.example',
  });
});

test('a resource and an audience are both read, and one that repeats the other is none', () => {
  assert.deepEqual(read(form(good, '&audience=chat')), { ...plain, alsoNamed: 'chat' });
  assert.deepEqual(read(form(good, '&audience=speech')), plain);
});

test('a JWT may be asked for', () => {
  assert.deepEqual(read(form({ ...good, requested_token_type: JWT })), { ...plain, requestedType: JWT });
});

test('an actor and a subject token that is no access token are refused by their names', () => {
  const actor = { kind: 'actor_token' } as const;
  assert.deepEqual(read(form({ ...good, actor_token: 'x', actor_token_type: ACCESS_TOKEN })), actor);
  assert.deepEqual(read(form({ ...good, actor_token_type: ACCESS_TOKEN })), actor);
  for (const type of ['id_token', 'refresh_token', 'saml1', 'saml2'] as const) {
    const subject_token_type = `urn:ietf:params:oauth:token-type:${type}`;
    assert.deepEqual(read(form({ ...good, subject_token_type })), { kind: 'subject_token_type', type });
  }
  const unknown = read(form({ ...good, subject_token_type: 'urn:example:cookie' }));
  assert.deepEqual(unknown, { kind: 'subject_token_type', type: 'other' });
});

test('a parameter without a value counts as not sent (RFC 6749 section 3.2)', () => {
  assert.deepEqual(read(form({ ...good, scope: '', audience: '', token_kind: '' })), plain);
  assert.deepEqual(asJson(JSON.stringify({ ...good, scope: '', audience: '' })), plain);
});

const rows: readonly [string, () => ReturnType<typeof read>, RegExp][] = [
  ['an empty body', () => read(''), /Content-Length/],
  [
    'a chunked body, which the host hands on as empty',
    () => read('', { 'transfer-encoding': 'chunked' }),
    /chunked/,
  ],
  [
    'no content type',
    () => readTokenRequest({ headers: new Headers(), body: form(good) }),
    /Content-Type must be/,
  ],
  ['another content type', () => read(form(good), { 'content-type': 'text/plain' }), /Content-Type must be/],
  [
    'two content types',
    () => read(form(good), { 'content-type': `${FORM},application/json` }),
    /Content-Type must be/,
  ],
  ['no grant type', () => read(form({ ...good, grant_type: undefined })), /grant_type is required/],
  ['a parameter twice', () => read(form(good, '&scope=a&scope=b')), /sent more than once/],
  ['the same parameter twice with one value', () => read(form(good, '&grant_type=x')), /sent more than once/],
  ['an unknown parameter twice', () => read(form(good, '&x=1&x=2')), /sent more than once/],
  ['two resources', () => read(form(good, '&resource=chat')), /exactly one target/],
  ['no target', () => read(form({ ...good, resource: undefined })), /exactly one target/],
  [
    'another requested type',
    () => read(form({ ...good, requested_token_type: 'urn:ietf:params:oauth:token-type:saml2' })),
    /requested_token_type/,
  ],
  ['an unknown kind', () => read(form({ ...good, token_kind: 'key' })), /token_kind must be/],
  [
    'no subject token type',
    () => read(form({ ...good, subject_token_type: undefined })),
    /subject_token_type is required/,
  ],
  [
    'a subject token type alone',
    () => read(form({ ...good, subject_token: undefined })),
    /subject_token is required/,
  ],
  [
    'the token in the body and as Bearer',
    () => read(form(good), { authorization: 'Bearer a.b.c' }),
    /not both/,
  ],
  [
    'two Authorization headers, which the host joins',
    () =>
      read(form({ grant_type: GRANT_TYPE, resource: 'speech' }), {
        authorization: 'Bearer a.b.c,Bearer d.e.f',
      }),
    /one Bearer token/,
  ],
  ['JSON that is none', () => asJson('{'), /one JSON object/],
  ['a JSON list', () => asJson('[]'), /one JSON object/],
  [
    'a JSON member twice',
    () => asJson(JSON.stringify(good).replace('{', '{"resource":"chat",')),
    /no member twice/,
  ],
  [
    'a JSON member that is no string',
    () => asJson(JSON.stringify({ ...good, resource: ['speech'] })),
    /must be a string/,
  ],
];
for (const [what, run, expected] of rows)
  test(`${what} is refused with words that say what to send`, () => {
    const answer = run();
    assert.ok('kind' in answer && answer.kind === 'request_malformed', JSON.stringify(answer));
    assert.match(answer.detail, expected);
    assert.ok(!answer.detail.includes('a.b.c'), 'the token is not repeated');
  });

test('client authentication is refused by its name, whatever else is sent', () => {
  const basic = { authorization: 'Basic YTpi' };
  const rows: readonly [ReturnType<typeof read>, string][] = [
    [read(form(good), basic), 'Basic'],
    [read(form({ grant_type: GRANT_TYPE, resource: 'speech' }), basic), 'Basic'],
    [read(form({ ...good, client_id: 'x', client_secret: 'x' })), 'client_secret'],
    [read(form({ ...good, client_assertion: 'x', client_assertion_type: 'x' })), 'client_assertion'],
  ];
  for (const [answer, method] of rows) assert.deepEqual(answer, { kind: 'client_authentication', method });
  assert.ok(
    !('kind' in read(form({ ...good, client_id: 'anyone' }))),
    'a client id alone authenticates nobody',
  );
});

test('a body that is compressed or too large is told so', () => {
  const rows: readonly [ReturnType<typeof read>, number, RegExp][] = [
    [read(form(good), { 'content-encoding': 'gzip' }), 415, /Content-Encoding/],
    [read(form(good, `&x=${'x'.repeat(33_000)}`)), 413, /at most 26624 characters/],
  ];
  for (const [answer, status, detail] of rows) {
    assert.ok('kind' in answer && answer.kind === 'request_malformed');
    assert.equal(answer.status, status);
    assert.match(answer.detail, detail);
  }
  assert.deepEqual(read(form(good), { 'content-encoding': 'identity' }), plain);
});

test('members, nesting and parameters without end are counted, not read', (context) => {
  const pairs = Array.from({ length: 2_000 }, (_, n): [string, string] => [`m${n}`, '1']);
  const parse = context.mock.method(JSON, 'parse');
  const rows: readonly [ReturnType<typeof read>, RegExp][] = [
    [asJson(`{${pairs.map(([name]) => `"${name}":"1"`).join()}}`), /at most 32 members/],
    [asJson(`{"a":${'['.repeat(12_000)}${']'.repeat(12_000)}}`), /at most 32 members/],
    [asJson(`{"a":[${pairs.map(() => '1').join()}]}`), /at most 32 members/],
    [asJson(`{"a" ${'""'.repeat(12_000)}}`), /at most 32 members/],
    [read(new URLSearchParams(pairs).toString()), /too many parameters: at most 32/],
    [read('&'.repeat(26_000)), /too many parameters/],
  ];
  for (const [answer, detail] of rows) {
    assert.ok('kind' in answer && answer.kind === 'request_malformed');
    assert.match(answer.detail, detail);
  }
  assert.equal(parse.mock.callCount(), 0);
  assert.deepEqual(read(form(good, '&scope='.repeat(20))), plain);
});

test('another grant type and a missing token have their own denials', () => {
  assert.deepEqual(read(form({ ...good, grant_type: 'client_credentials' })), {
    kind: 'grant_type_unsupported',
  });
  assert.deepEqual(read(form({ grant_type: GRANT_TYPE, resource: 'speech' })), {
    kind: 'caller_unverified',
    fault: 'missing',
    hint: 'missing',
  });
});

test('any body is a request or a denial, never an error', () => {
  const names = fc.constantFrom(...Object.keys(good), 'audience', 'scope', '__proto__', 'constructor');
  fc.assert(
    fc.property(
      fc.dictionary(names, fc.oneof(fc.string(), fc.constantFrom(...Object.values(good)))),
      fc.string(),
      (members, noise) => {
        for (const answer of [
          read(form(members)),
          asJson(JSON.stringify(members)),
          read(noise),
          asJson(noise),
        ])
          assert.ok('kind' in answer || answer.subjectToken.length > 0);
      },
    ),
  );
});

test('a Bearer credential is one token of the characters that RFC 6750 allows', () => {
  assert.equal(readBearer('Bearer abc.DEF-_~+/='), 'abc.DEF-_~+/=');
  for (const text of [
    '',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a,b',
    'Bearer "a"',
    'xBearer a',
    'DPoP a',
  ])
    assert.equal(readBearer(text), undefined, text);
});
