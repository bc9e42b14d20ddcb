/** What a caller is told about its refused token, and that a made-up token learns nothing more from it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wire } from '../../src/denial.ts';
import { HOME, PARTNER } from '../policy/sample.ts';
import { NOW_MS } from './caller.ts';
import {
  applicationClaims,
  BROKER,
  encode,
  goodHeader,
  hmacSigned,
  signed,
  stranger,
  userClaims,
  v1Claims,
} from './entra-token.ts';
import { verifier } from './verifier.ts';

const nowSeconds = NOW_MS / 1000;
const GRAPH = '00000003-0000-0000-c000-000000000000';
const NOBODY = '00000000-0000-4000-8000-0000000000ee';
/** HOME and PARTNER are in the policy. */
const verify = verifier({ isAllowedTenant: async (id) => id === HOME || id === PARTNER });

async function told(token: string): Promise<string> {
  const verdict = await verify(token);
  return 'objectId' in verdict ? 'accepted' : wire(verdict).description;
}

const EXPIRED = 'subject_token has expired: get a new one from Entra';
const AUDIENCE = `subject_token is for another audience: its aud must be ${BROKER}`;
const TENANT =
  "subject_token is not accepted: it is not of the broker's own tenant, and of other tenants only those that the policy names may call";
const UNREADABLE = 'subject_token cannot be read: it must be a signed JWT, as Entra issues it';
const UNEXPLAINED = 'subject_token is not accepted';
const ofTenant = (tid: string) => ({ tid, iss: `https://login.microsoftonline.com/${tid}/v2.0` });

const rows: readonly (readonly [what: string, claims: object, text: string])[] = [
  ['expired an hour ago', { exp: nowSeconds - 3600 }, EXPIRED],
  ['at its very end', { exp: nowSeconds }, EXPIRED],
  ['for Microsoft Graph', { aud: GRAPH }, AUDIENCE],
  ['for the App ID URI, as version 2.0', { aud: 'api://broker' }, AUDIENCE],
  ['an ID token, whose audience is the app itself', { aud: userClaims.azp, scp: undefined }, AUDIENCE],
  ['of another issuer altogether', { aud: 'x', tid: undefined, ver: undefined, oid: undefined }, AUDIENCE],
  ['for another audience and expired: a new one would not help', { aud: GRAPH, exp: 1 }, AUDIENCE],
  ['of a tenant that the policy does not name', ofTenant(NOBODY), TENANT],
  ['of such a tenant and expired', { ...ofTenant(NOBODY), exp: 1 }, EXPIRED],
  ['without scope and role', { scp: undefined }, UNEXPLAINED],
  ['not valid yet', { nbf: nowSeconds + 3600 }, UNEXPLAINED],
  ['bound to a key', { cnf: {} }, UNEXPLAINED],
  ['without an end', { exp: undefined }, UNEXPLAINED],
];
for (const [what, claims, text] of rows)
  test(`a token ${what}: "${text}"`, async () => {
    assert.equal(await told(signed(goodHeader, { ...userClaims, ...claims })), text);
  });

for (const [what, text] of [
  ['a word', 'x'],
  ['an opaque token', 'EwBwA8l6BAAUO9chh8cJscQLmU+LSWpbnr0vmwwAAQ'],
  ['an encrypted token of five parts', 'e30.e30.e30.e30.e30'],
  ['two parts', `${encode(goodHeader)}.${encode(userClaims)}`],
] as const)
  test(`${what} is no token: "${UNREADABLE}"`, async () => {
    assert.equal(await told(text), UNREADABLE);
  });

test('a v1 token for the App ID URI is not told that its audience is wrong', async () => {
  assert.equal(await told(signed(goodHeader, { ...v1Claims, exp: 1 })), EXPIRED);
});

/** Everything in which only somebody with Entra's keys can tell two tokens apart. */
const forgeries: Readonly<Record<string, (claims: object) => string>> = {
  'signed by a stranger': (claims) => signed(goodHeader, claims, stranger.privateKey),
  'under a key id that nobody published': (claims) => signed({ ...goodHeader, kid: 'made-up' }, claims),
  unsigned: (claims) => `${encode({ ...goodHeader, alg: 'none' })}.${encode(claims)}.AA`,
  'under a secret': (claims) => hmacSigned({ ...goodHeader, alg: 'HS256' }, claims, 'secret'),
};
for (const [what, forge] of Object.entries(forgeries))
  test(`a token ${what} is told the same as a genuine one with the same claims`, async () => {
    for (const [of, claims, text] of rows)
      assert.equal(await told(forge({ ...userClaims, ...claims })), text, of);
    assert.equal(await told(forge(applicationClaims)), UNEXPLAINED, 'and where the claims are good, nothing');
  });

test('nobody can find out which tenants the policy names: one answer for a made-up token of each', async () => {
  for (const forge of Object.values(forgeries)) {
    const answers = [PARTNER, NOBODY].map((tid) => told(forge({ ...userClaims, ...ofTenant(tid) })));
    assert.deepEqual(await Promise.all(answers), [TENANT, TENANT]);
  }
});
