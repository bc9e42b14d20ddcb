/** JSON Web Token best current practices, by section, against the token endpoint itself. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import {
  applicationClaims,
  encode,
  goodHeader,
  hmacSigned,
  ISSUER,
  publicKey,
  signed,
  stranger,
} from '../exchange/entra-token.ts';
import { exchangeEndpoint, good, subjectToken } from './exchange-endpoint.ts';
import { jsonOf } from './serve.ts';

/**
 * Every token is refused alike: 400 and invalid_request, never 401, 403 or 5xx. Which words of these the caller gets
 * follows from the text of its token and from nothing that the verification found (test/exchange/hint.test.ts).
 */
const WORDS = [
  'subject_token is not accepted',
  'subject_token cannot be read: it must be a signed JWT, as Entra issues it',
  `subject_token is for another audience: its aud must be ${applicationClaims.aud}`,
];
async function allRefused(tokens: Readonly<Record<string, string>>): Promise<void> {
  await using broker = await exchangeEndpoint();
  for (const [what, subject_token] of Object.entries(tokens)) {
    const answer = await broker.post({ ...good, subject_token });
    const { error, error_description } = await jsonOf(answer);
    assert.deepEqual([answer.status, error], [400, 'invalid_request'], what);
    assert.ok(WORDS.includes(String(error_description)), `${what}: ${error_description}`);
  }
  // The playbook's last step: a good token is still good after the attacks.
  assert.equal((await broker.post(good)).status, 200);
}
const [header = '', payload = '', signature = ''] = subjectToken.split('.');
const spki = publicKey.export({ type: 'spki', format: 'pem' });

test('RFC 8725 section 3.1: only the one algorithm: none in any spelling, and no key confusion', () =>
  allRefused({
    ...Object.fromEntries(
      ['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg) => [
        [`${alg} with a signature`, `${encode({ ...goodHeader, alg })}.${payload}.${signature}`],
        [`${alg} without`, `${encode({ ...goodHeader, alg })}.${payload}.`],
      ]),
    ),
    'HS256 under the public key as PEM': hmacSigned({ ...goodHeader, alg: 'HS256' }, applicationClaims, spki),
    'HS256 under the public key as DER': hmacSigned(
      { ...goodHeader, alg: 'HS256' },
      applicationClaims,
      publicKey.export({ type: 'spki', format: 'der' }),
    ),
    'HS256 under nothing': hmacSigned({ ...goodHeader, alg: 'HS256' }, applicationClaims, ''),
    'HS256 under "secret"': hmacSigned({ ...goodHeader, alg: 'HS256' }, applicationClaims, 'secret'),
    RS512: signed({ ...goodHeader, alg: 'RS512' }, applicationClaims),
    'alg in lower case': signed({ ...goodHeader, alg: 'rs256' }, applicationClaims),
  }));

test('RFC 8725 section 3.2: the signature is of the very bytes', () =>
  allRefused({
    'no signature': `${header}.${payload}`,
    'an empty signature': `${header}.${payload}.`,
    zeros: `${header}.${payload}.${Buffer.alloc(256).toString('base64url')}`,
    'a changed claim': `${header}.${encode({ ...applicationClaims, roles: ['Token.Exchange', 'Broker.Operator'] })}.${signature}`,
    'a changed header': `${encode({ ...goodHeader, x: 1 })}.${payload}.${signature}`,
    'padding after the signature': `${subjectToken}==`,
    'padding after the header': `${header}=.${payload}.${signature}`,
    'the base64 alphabet': subjectToken.replaceAll('-', '+').replaceAll('_', '/'),
    'a blank within': `${header}.${payload}. ${signature}`,
    'a line break at the end': `${subjectToken}\n`,
    'JSON serialization': JSON.stringify({ protected: header, payload, signature }),
    'four parts': `${subjectToken}.x`,
  }));

test('RFC 8725 section 3.4: input is what it says: duplicate members, odd numbers, odd types', () =>
  allRefused({
    'sub twice': signed(goodHeader, JSON.stringify(applicationClaims).replace('{', '{"sub":"admin",')),
    'tid in two casings': signed(goodHeader, { ...applicationClaims, Tid: 'x' }),
    'exp 1e400': signed(goodHeader, JSON.stringify(applicationClaims).replace(/"exp":\d+/, '"exp":1e400')),
    'exp as text': signed(goodHeader, { ...applicationClaims, exp: String(applicationClaims.exp) }),
    'exp null': signed(goodHeader, { ...applicationClaims, exp: null }),
    'no exp': signed(goodHeader, { ...applicationClaims, exp: undefined }),
    'iat in the future': signed(goodHeader, { ...applicationClaims, iat: applicationClaims.exp }),
    'a list as payload': signed(goodHeader, '[]'),
    '"foo" as payload': signed(goodHeader, 'foo'),
    'nested without end': signed(goodHeader, `{"a":${'{"a":'.repeat(2500)}1${'}'.repeat(2500)}}`),
    zip: signed({ ...goodHeader, zip: 'DEF' }, applicationClaims),
    'b64 false': signed({ ...goodHeader, b64: false }, applicationClaims),
    'an unknown crit': signed({ ...goodHeader, crit: ['x'], x: 1 }, applicationClaims),
  }));

test('RFC 8725 section 3.7: text is UTF-8', () => {
  const latin1 = Buffer.from(JSON.stringify({ ...applicationClaims, name: '\u00e9' }), 'latin1').toString(
    'base64url',
  );
  return allRefused({
    'latin-1': `${header}.${latin1}.${signature}`,
    'a byte order mark': signed(goodHeader, `\uFEFF${JSON.stringify(applicationClaims)}`),
  });
});

test('RFC 8725 section 3.8: the key belongs to the issuer, and the issuer is the one we know', () =>
  allRefused({
    "a stranger's key": signed(goodHeader, applicationClaims, stranger.privateKey),
    'another issuer': signed(goodHeader, { ...applicationClaims, iss: 'https://evil.example/v2.0' }),
    'the issuer with a path more': signed(goodHeader, { ...applicationClaims, iss: `${ISSUER}/x` }),
    'the issuer in capitals': signed(goodHeader, { ...applicationClaims, iss: ISSUER.toUpperCase() }),
    'no issuer': signed(goodHeader, { ...applicationClaims, iss: undefined }),
  }));

test('RFC 8725 section 3.9: the audience is us, alone', () =>
  allRefused({
    'no audience': signed(goodHeader, { ...applicationClaims, aud: undefined }),
    'somebody else': signed(goodHeader, { ...applicationClaims, aud: 'https://graph.microsoft.com' }),
    'us among others': signed(goodHeader, { ...applicationClaims, aud: [applicationClaims.aud, 'x'] }),
    'us with a blank': signed(goodHeader, { ...applicationClaims, aud: `${applicationClaims.aud} ` }),
  }));

test('RFC 8725 section 3.10: kid, jku, x5u, x5c and jwk are words of the caller: looked up, never believed or fetched', () => {
  const evil = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = evil.publicKey.export({ format: 'jwk' });
  const own = (bend: object): string =>
    signed({ ...goodHeader, ...bend }, applicationClaims, evil.privateKey);
  return allRefused({
    'an embedded key': own({ jwk }),
    'a key to be fetched': own({ jku: 'http://127.0.0.1:9/jwks' }),
    'a certificate to be fetched': own({ x5u: 'http://127.0.0.1:9/cert' }),
    'an embedded certificate': own({ x5c: ['MIIB'] }),
    'an empty kid': own({ kid: '' }),
    'a kid that is a path': own({ kid: '../../../../dev/null' }),
    'a kid that is a command': own({ kid: '|sleep 10' }),
    'a kid that is a query': own({ kid: "' UNION SELECT 'x" }),
    'a kid that is a prototype': own({ kid: '__proto__' }),
    'a kid of another type': own({ kid: ['key-1'] }),
  });
});

test('RFC 8725 sections 3.11 and 3.12: other kinds of JWT are told apart by their type and their claims', () =>
  allRefused({
    'a security event token': signed({ ...goodHeader, typ: 'secevent+jwt' }, applicationClaims),
    'a logout token': signed({ ...goodHeader, typ: 'logout+jwt' }, applicationClaims),
    'an ID token: no scope, no role': signed(goodHeader, {
      ...applicationClaims,
      idtyp: undefined,
      roles: undefined,
      nonce: 'x',
    }),
    'a security event without a type': signed(
      { alg: 'RS256', kid: 'key-1' },
      {
        iss: ISSUER,
        aud: applicationClaims.aud,
        iat: applicationClaims.iat,
        jti: 'x',
        events: {},
      },
    ),
  }));
