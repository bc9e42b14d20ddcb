import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SigningKey } from '../../src/ports.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { HOME } from '../policy/sample.ts';
import { NOW_MS } from './caller.ts';
import {
  applicationClaims,
  BROKER,
  encode,
  goodHeader,
  ISSUER,
  privateKey,
  publishedKeys,
  signed,
  stranger,
  token,
  userClaims,
  v1Claims,
} from './entra-token.ts';
import { accepted, faultOf, verifier } from './verifier.ts';

const nowSeconds = NOW_MS / 1000;

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

test('a person in more groups than a token holds is known as such, whatever else the claim says', async () => {
  const overage = { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://x' } } };
  assert.equal((await accepted(token(overage))).groupOverage, true);
  assert.equal((await accepted(token({ hasgroups: true }))).groupOverage, true);
  for (const none of [{}, { _claim_names: {} }, { _claim_names: 7 }, { hasgroups: 'x' }])
    assert.equal((await accepted(token(none))).groupOverage, undefined);
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

test('accepted variations: no typ, at+jwt, a clock that is a minute off, a list of roles for a user', async () => {
  await accepted(token({}, { typ: undefined }));
  await accepted(token({}, { typ: 'at+jwt' }));
  await accepted(token({}, { typ: 'application/at+jwt' }));
  await accepted(token({ nbf: nowSeconds + 55, iat: nowSeconds + 55 }));
  await accepted(token({ exp: nowSeconds + 1 }));
});

test('a token older than any that Entra issues is over, whatever it says: its revocation may be forgotten', async () => {
  const issued = (hoursAgo: number) => token({ iat: nowSeconds - hoursAgo * 3600, nbf: nowSeconds - 60 });
  await accepted(issued(28));
  assert.equal(await faultOf(issued(28.1)), 'expired');
  assert.equal(await faultOf(token({ iat: nowSeconds + 61 })), 'not_yet_valid');
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
