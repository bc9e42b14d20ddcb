import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CallerFault } from '../../src/denial.ts';
import { createVerifyCaller, type VerifyOptions } from '../../src/exchange/verify.ts';
import type { Caller, SigningKey } from '../../src/ports.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { HOME } from '../policy/sample.ts';
import { NOW_MS } from './caller.ts';
import {
  applicationClaims,
  BROKER,
  encode,
  goodHeader,
  hmacSigned,
  ISSUER,
  privateKey,
  publicKey,
  publishedKeys,
  signed,
  stranger,
  token,
  userClaims,
  V1_ISSUER,
  v1Claims,
} from './entra-token.ts';

const nowSeconds = NOW_MS / 1000;
const verifier = (bend: Partial<VerifyOptions> = {}) =>
  createVerifyCaller({
    keys: publishedKeys(),
    clock: () => NOW_MS,
    clientId: BROKER,
    audienceUris: ['api://broker'],
    acceptV1: true,
    isAllowedTenant: (tenantId) => tenantId === HOME,
    ...bend,
  });
async function faultOf(text: string, bend: Partial<VerifyOptions> = {}): Promise<CallerFault | 'accepted'> {
  const verdict = await verifier(bend)(text);
  if ('objectId' in verdict) return 'accepted';
  assert.equal(verdict.kind, 'caller_unverified');
  return verdict.kind === 'caller_unverified' ? verdict.fault : 'accepted';
}
async function accepted(text: string, bend: Partial<VerifyOptions> = {}): Promise<Caller> {
  const verdict = await verifier(bend)(text);
  assert.ok('objectId' in verdict, JSON.stringify(verdict));
  return verdict;
}
const lastOf = (text: string): string => text.split('.')[2] ?? '';

test("a user's token says who calls, through which client, with which scopes", async () => {
  const caller = await accepted(
    token({ roles: ['Reader'], groups: ['g-1'], xms_cc: ['CP1'], sub: 'pairwise' }),
  );
  const { token: text, ...rest } = caller;
  assert.deepEqual(rest, {
    kind: 'user',
    tenantId: HOME,
    objectId: userClaims.oid,
    clientId: userClaims.azp,
    uti: userClaims.uti,
    subject: 'pairwise',
    issuedAtSeconds: userClaims.iat,
    expiresAtSeconds: userClaims.exp,
    scopes: ['Token.Exchange', 'other'],
    appRoles: ['Reader'],
    groups: ['g-1'],
  });
  assert.ok(!String(text).includes('.'), 'the token itself is a secret');
});

test("an application's token says so itself, by idtyp", async () => {
  const caller = await accepted(signed(goodHeader, applicationClaims));
  assert.equal(caller.kind, 'application');
  assert.deepEqual(caller.appRoles, ['Token.Exchange']);
  assert.deepEqual(caller.scopes, []);
});

test('a v1 token is accepted where the setting says so, with either form of the audience', async () => {
  for (const aud of [BROKER, 'api://broker', 'api://broker/']) {
    const caller = await accepted(signed(goodHeader, { ...v1Claims, aud }));
    assert.equal(caller.clientId, userClaims.azp);
  }
  assert.equal(await faultOf(signed(goodHeader, v1Claims), { acceptV1: false }), 'version');
});

const rows: readonly [CallerFault, string, string][] = [
  ['too_large', 'a token of 25,000 characters', token({ x: 'x'.repeat(25_000) })],
  ['malformed', 'no token at all', ''],
  ['malformed', 'one word', 'x'],
  ['malformed', 'two segments', `${encode(goodHeader)}.${encode(userClaims)}`],
  ['malformed', 'four segments', `${token()}.x`],
  ['malformed', 'an encrypted token of five', 'e30.e30.e30.e30.e30'],
  ['malformed', 'an empty signature', token().replace(/[^.]+$/, '')],
  ['malformed', 'padding', `${token()}==`],
  ['malformed', 'a blank at the end', `${token()} `],
  ['malformed', 'a line break within', token().replace('.', '.\n')],
  ['malformed', 'the other alphabet of base64', `${token().replace(/[^.]+$/, '')}ab+/`],
  ['malformed', 'a header that is no JSON', signed('{', userClaims)],
  ['malformed', 'a header that is a list', signed('[]', userClaims)],
  ['malformed', 'a payload that is no JSON', signed(goodHeader, 'foo')],
  ['malformed', 'a payload that is a list', signed(goodHeader, '[]')],
  ['malformed', 'a byte order mark', signed(goodHeader, `\uFEFF${JSON.stringify(userClaims)}`)],
  ['malformed', 'a claim twice', signed(goodHeader, JSON.stringify(userClaims).replace('{', '{"oid":"x",'))],
  ['malformed', 'alg twice', signed(JSON.stringify(goodHeader).replace('{', '{"alg":"none",'), userClaims)],
  ['malformed', 'two tenants, in two casings', token({ TID: HOME })],
  [
    'malformed',
    'an end beyond all numbers',
    signed(goodHeader, JSON.stringify(userClaims).replace(/"exp":\d+/, '"exp":1e400')),
  ],
  ['malformed', 'nesting without end', signed(goodHeader, `{"a":${'['.repeat(8000)}${']'.repeat(8000)}}`)],
  ['malformed', 'crit', token({}, { crit: ['exp'], exp: 1 })],
  ['malformed', 'b64', token({}, { b64: false })],
  ['malformed', 'zip', token({}, { zip: 'DEF' })],
  ['malformed', 'no kid', signed({ typ: 'JWT', alg: 'RS256' }, userClaims)],
  ['malformed', 'a kid that is no text', token({}, { kid: 7 })],
  ['algorithm', 'alg none', `${encode({ ...goodHeader, alg: 'none' })}.${encode(userClaims)}.AA`],
  ['algorithm', 'alg nOnE', `${encode({ ...goodHeader, alg: 'nOnE' })}.${encode(userClaims)}.AA`],
  ['algorithm', 'RS384', token({}, { alg: 'RS384' })],
  ['algorithm', 'PS256', token({}, { alg: 'PS256' })],
  [
    'algorithm',
    'HS256 under the public key',
    hmacSigned(
      { ...goodHeader, alg: 'HS256' },
      userClaims,
      publicKey.export({ type: 'spki', format: 'pem' }),
    ),
  ],
  ['algorithm', 'HS256 under an empty password', hmacSigned({ ...goodHeader, alg: 'HS256' }, userClaims, '')],
  ['type', 'a security event', token({}, { typ: 'secevent+jwt' })],
  ['type', 'a security event, long form', token({}, { typ: 'application/secevent+jwt' })],
  ['type', 'a logout token', token({}, { typ: 'logout+jwt' })],
  ['type', 'a proof of possession', token({}, { typ: 'dpop+jwt' })],
  ['unknown_key', 'a key id nobody published', token({}, { kid: 'key-2' })],
  ['unknown_key', 'a key id that is a path', token({}, { kid: '../../../dev/null' })],
  ['unknown_key', 'a key id that is a member of Object', token({}, { kid: 'constructor' })],
  ['unknown_key', 'an empty key id', token({}, { kid: '' })],
  [
    'signature',
    "a stranger's signature under our key id",
    signed(goodHeader, userClaims, stranger.privateKey),
  ],
  [
    'signature',
    'a stranger who embeds his key',
    signed(
      { ...goodHeader, jwk: stranger.publicKey.export({ format: 'jwk' }) },
      userClaims,
      stranger.privateKey,
    ),
  ],
  [
    'signature',
    'claims changed after signing',
    `${encode(goodHeader)}.${encode({ ...userClaims, oid: HOME })}.${lastOf(token())}`,
  ],
  ['signature', 'a signature cut short', token().slice(0, -2)],
  ['issuer', 'the v1 issuer on a v2 token', token({ iss: V1_ISSUER })],
  ['issuer', 'another authority', token({ iss: `https://evil.example/${HOME}/v2.0` })],
  ['issuer', 'the issuer with a slash', token({ iss: `${ISSUER}/` })],
  ['issuer', "the issuer's template", token({ iss: 'https://login.microsoftonline.com/{tenantid}/v2.0' })],
  ['audience', 'Microsoft Graph', token({ aud: '00000003-0000-0000-c000-000000000000' })],
  ['audience', 'the App ID URI on a v2 token', token({ aud: 'api://broker' })],
  ['audience', 'a v1 token for another URI', signed(goodHeader, { ...v1Claims, aud: 'api://broker/x' })],
  [
    'audience',
    'a v1 token for the AI service',
    signed(goodHeader, { ...v1Claims, aud: 'https://cognitiveservices.azure.com' }),
  ],
  ['tenant', 'a tenant the policy does not name', token({ tid: '00000000-0000-4000-8000-0000000000ee' })],
  ['expired', 'one second past its end', token({ exp: nowSeconds - 1 })],
  ['expired', 'at its very end', token({ exp: nowSeconds })],
  ['not_yet_valid', 'two minutes early', token({ nbf: nowSeconds + 120 })],
  ['not_yet_valid', 'issued in the future', token({ iat: nowSeconds + 120 })],
  ['claims', 'a list of audiences', token({ aud: [BROKER] })],
  ['claims', 'a list of audiences with null', token({ aud: [BROKER, null] })],
  ['claims', 'no end', token({ exp: undefined })],
  ['claims', 'an end in words', token({ exp: String(userClaims.exp) })],
  ['claims', 'half a second', token({ exp: userClaims.exp + 0.5 })],
  ['claims', 'no begin', token({ nbf: undefined })],
  ['claims', 'no time of issue', token({ iat: undefined })],
  ['claims', 'a negative time of issue', token({ iat: -1 })],
  ['claims', 'no object id', token({ oid: undefined })],
  ['claims', 'no tenant id', token({ tid: undefined })],
  ['claims', 'a tenant by its name', token({ tid: 'contoso.onmicrosoft.com' })],
  ['claims', 'a tenant that is a path', token({ tid: '../common' })],
  ['claims', 'no uti: nothing to revoke it by', token({ uti: undefined })],
  ['claims', 'no subject', token({ sub: undefined })],
  ['claims', 'no version', token({ ver: undefined })],
  ['claims', 'version 3', token({ ver: '3.0' })],
  ['claims', 'no client', token({ azp: undefined })],
  ['claims', "v1's client on a v2 token", token({ azp: undefined, appid: userClaims.azp })],
  ['claims', 'an issuer that is no URL', token({ iss: 'x' })],
  ['claims', 'roles in words', token({ roles: 'Token.Exchange' })],
  [
    'claims',
    'roles without scope or idtyp: whose roles?',
    token({ scp: undefined, roles: ['Token.Exchange'] }),
  ],
  ['no_permission', 'neither scope nor role', token({ scp: undefined })],
  ['no_permission', 'an empty scope', token({ scp: ' ' })],
  [
    'no_permission',
    'an application without a role',
    signed(goodHeader, { ...applicationClaims, roles: undefined }),
  ],
];
for (const [fault, what, text] of rows)
  test(`${what}: ${fault}`, async () => {
    assert.equal(await faultOf(text), fault);
  });

test('every fault of a token has at least one row', () => {
  const all: Record<CallerFault, true | 'elsewhere'> = {
    missing: 'elsewhere',
    too_large: true,
    malformed: true,
    algorithm: true,
    type: true,
    unknown_key: true,
    signature: true,
    key_issuer: 'elsewhere',
    issuer: true,
    audience: true,
    tenant: true,
    version: 'elsewhere',
    expired: true,
    not_yet_valid: true,
    claims: true,
    no_permission: true,
  };
  const seen = new Set(rows.map(([fault]) => fault));
  for (const [fault, where] of Object.entries(all))
    if (where === true) assert.ok(seen.has(fault as CallerFault), fault);
});

test('accepted variations: no typ, at+jwt, a clock that is a minute off, a list of roles for a user', async () => {
  await accepted(token({}, { typ: undefined }));
  await accepted(token({}, { typ: 'at+jwt' }));
  await accepted(token({}, { typ: 'application/at+jwt' }));
  await accepted(token({ nbf: nowSeconds + 55, iat: nowSeconds + 55 }));
  await accepted(token({ exp: nowSeconds + 1 }));
});

test('what a token offers as key, or as place to fetch one, is neither used nor fetched', async () => {
  const keys = publishedKeys();
  const header = {
    jku: 'https://evil.example/keys',
    x5u: 'https://evil.example/cert',
    x5c: ['MIIB'],
    jwk: stranger.publicKey.export({ format: 'jwk' }),
  };
  const fetched: unknown[] = [];
  const realFetch = globalThis.fetch;
  globalThis.fetch = async (...parameters) => {
    fetched.push(parameters[0]);
    throw new Error('no network here');
  };
  try {
    await accepted(token({}, header), { keys });
  } finally {
    globalThis.fetch = realFetch;
  }
  assert.deepEqual(fetched, []);
  assert.deepEqual(keys.asked, [`${HOME} 2.0 key-1`]);
});

test('nobody is asked for the keys of a tenant that the policy does not name', async () => {
  const keys = publishedKeys();
  await faultOf(token({ tid: '00000000-0000-4000-8000-0000000000ee' }), { keys });
  assert.deepEqual(keys.asked, []);
});

test('a key signs only for the issuer that it is published with', async () => {
  const other = 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0';
  const under = (bend: Partial<SigningKey>) => faultOf(token(), { keys: publishedKeys(bend) });
  assert.equal(await under({ keyIssuer: other }), 'key_issuer');
  assert.equal(await under({ keyIssuer: ISSUER }), 'accepted');
  assert.equal(await under({ keyIssuer: undefined }), 'accepted');
});

test("the first segment of the issuer's path is the tenant, even if metadata should say otherwise", async () => {
  const issuer = 'https://login.microsoftonline.com/common/v2.0';
  const keys = publishedKeys({ issuer, keyIssuer: undefined });
  assert.equal(await faultOf(token({ iss: issuer }), { keys }), 'issuer');
});

test('an outage of the keys is thrown: no verdict on the token', async () => {
  const keys = { find: () => Promise.reject(new UpstreamFailure('entra', 'keys: no answer in time')) };
  await assert.rejects(verifier({ keys })(token()), UpstreamFailure);
});

test('a key too short or of another kind accepts nothing', async () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const key = short.publicKey.toCryptoKey({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, true, ['verify']);
  const text = signed(goodHeader, userClaims, short.privateKey);
  const verdict = await verifier({ keys: publishedKeys({ key }) })(text).catch((error: unknown) => error);
  assert.ok(!(verdict instanceof Object && 'objectId' in verdict));
});

test('one byte changed anywhere, and no token is accepted', async () => {
  const text = token();
  const verify = verifier();
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: text.length - 1 }),
      fc.constantFrom(...'ABCXYZabcxyz0189-_.=+/ \n'),
      async (at, character) => {
        if (text[at] === character) return;
        const verdict = await verify(text.slice(0, at) + character + text.slice(at + 1));
        assert.ok(!('objectId' in verdict), `${at} ${character}`);
      },
    ),
    { numRuns: 300 },
  );
});

test('any text at all is a fault and never an error', async () => {
  const verify = verifier();
  const segment = fc.oneof(
    fc.base64String().map((text) => text.replaceAll('=', '')),
    fc.json().map((text) => encode(text)),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(segment, { maxLength: 5 }), async (segments) => {
      assert.ok(!('objectId' in (await verify(segments.join('.')))));
    }),
    { numRuns: 300 },
  );
});

test('any claim replaced by anything is a fault or a sound caller, never an error', async () => {
  const verify = verifier();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(userClaims), 'roles', 'groups', 'idtyp', 'xms_cc'),
      fc.jsonValue(),
      async (claim, value) => {
        const verdict = await verify(token({ [claim]: value }));
        if (!('objectId' in verdict)) return;
        assert.equal(verdict.tenantId, HOME);
        assert.ok(verdict.expiresAtSeconds > nowSeconds && Number.isFinite(verdict.expiresAtSeconds));
      },
    ),
    { numRuns: 200 },
  );
});

test('one signature has one text: the same bytes in another spelling are refused', async () => {
  const input = `${encode(goodHeader)}.${encode(userClaims)}`;
  const signature = sign('sha256', Buffer.from(input), privateKey).toString('base64url');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  // 256 bytes leave four unused bits in the last character: fifteen other spellings of the same signature.
  const last = alphabet.indexOf(signature.at(-1) ?? '');
  for (let other = last + 1; other < last + 16; other += 1) {
    const text = `${input}.${signature.slice(0, -1)}${alphabet[other]}`;
    assert.deepEqual(Buffer.from(text.split('.')[2] ?? '', 'base64url'), Buffer.from(signature, 'base64url'));
    assert.equal(await faultOf(text), 'malformed');
  }
});
