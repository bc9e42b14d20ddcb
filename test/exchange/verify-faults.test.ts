/** One row per way in which a caller's token can be wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallerFault } from '../../src/denial.ts';
import { HOME } from '../policy/sample.ts';
import { NOW_MS } from './caller.ts';
import {
  applicationClaims,
  BROKER,
  encode,
  goodHeader,
  hmacSigned,
  ISSUER,
  publicKey,
  signed,
  stranger,
  token,
  userClaims,
  V1_ISSUER,
  v1Claims,
} from './entra-token.ts';
import { faultOf } from './verifier.ts';

const nowSeconds = NOW_MS / 1000;
const lastOf = (text: string): string => text.split('.')[2] ?? '';

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
  ['bound', 'a token bound to a key', token({ cnf: { jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' } })],
  ['bound', 'a token bound to a certificate', token({ cnf: { 'x5t#S256': 'x' } })],
  ['bound', 'a token bound to nothing that is known', token({ cnf: null })],
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
  ['claims', 'a uti of free characters', token({ uti: "' or 1 eq 1" })],
  ['claims', 'a uti that is too long to be revoked', token({ uti: 'x'.repeat(65) })],
  ['claims', 'a subject that is too long to be revoked', token({ sub: 'x'.repeat(65) })],
  [
    'claims',
    'an application with a scope',
    signed(goodHeader, { ...applicationClaims, scp: 'Token.Exchange' }),
  ],
  ['claims', 'an application with an empty scope', signed(goodHeader, { ...applicationClaims, scp: '' })],
  ['claims', 'a device', token({ idtyp: 'device' })],
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
    bound: true,
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
