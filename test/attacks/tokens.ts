/** Tokens that are not what they say. Each exchange is refused with one code, and the words tell only what is in the token. */
import type { Attack } from './attack.ts';
import {
  type Broker,
  exchangeOf,
  hmacSigned,
  opened,
  strangerSigned,
  strangersJwk,
  unsigned,
} from './broker.ts';

/** Entra's signing keys are asked for again after an unknown key id: metadata and keys, at most every five minutes. */
const KEY_REFETCH_CALLS = 4;
const refused = { statuses: [400] };

/** Exchanges with each of these tokens. */
const subjects =
  (make: (broker: Broker) => Promise<readonly string[]>): Attack['send'] =>
  async (broker) =>
    (await make(broker)).map((token) => exchangeOf(token));
/** Exchanges with tokens that Entra signed, with these members beside or in place of a good one's. */
const signedWith = (...bends: readonly (readonly [claims: object, header?: object])[]): Attack['send'] =>
  subjects((broker) => Promise.all(bends.map(([claims, header]) => broker.signed(claims, header))));
const good = async (broker: Broker) => opened(await broker.tokenOf('captions'));

const nowSeconds = (): number => Math.floor(Date.now() / 1000);
function nested(depth: number): object {
  let value: object = {};
  for (let level = 0; level < depth; level += 1) value = { x: value };
  return value;
}

export const tokens: readonly Attack[] = [
  {
    what: 'alg none in every spelling, with and without the signature of a good token',
    send: subjects(async (broker) => {
      const { header, claims } = await good(broker);
      const signature = (await broker.tokenOf('captions')).split('.')[2] ?? '';
      return ['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg) => [
        unsigned({ ...header, alg }, claims),
        unsigned({ ...header, alg }, claims, signature),
      ]);
    }),
    allowed: refused,
  },
  {
    what: 'another algorithm: HS256 with the published key as secret, RS512, ES256, a lower-case name',
    send: subjects(async (broker) => {
      const { header, claims } = await good(broker);
      const { authority, tenantId } = broker.stack.description.entra;
      const keys = await (await fetch(`${authority}/${tenantId}/discovery/v2.0/keys`)).text();
      const n = /"n":"([^"]+)"/.exec(keys)?.[1] ?? '';
      return [
        ...[keys, n, Buffer.from(n, 'base64url'), '', 'secret'].map((key) =>
          hmacSigned({ ...header, alg: 'HS256' }, claims, key),
        ),
        await broker.signed({}, { alg: 'RS512' }),
        await broker.signed({}, { alg: 'ES256' }),
        await broker.signed({}, { alg: 'rs256' }),
      ];
    }),
    // The row itself asks for the published keys.
    allowed: { ...refused, upstreamCalls: 1 },
  },
  {
    what: "a stranger's key, embedded or to be fetched: jwk, jku, x5u, x5c",
    send: subjects(async (broker) => {
      const { header, claims } = await good(broker);
      return [
        {},
        { jwk: strangersJwk },
        { jku: `${broker.stack.description.control}/requests` },
        { x5u: `${broker.stack.description.control}/requests` },
        { x5c: ['MIIB'] },
      ].map((more) => strangerSigned({ ...header, ...more }, claims));
    }),
    allowed: refused,
  },
  {
    what: 'a key id that is unknown, a path, a query, a command, a prototype, empty, or no text',
    send: subjects((broker) =>
      Promise.all(
        [
          'made-up',
          '../../../dev/null',
          "' or 1 eq 1",
          '|sleep 10',
          '__proto__',
          'constructor',
          '',
          ['x'],
          1,
        ].map((kid) => broker.signed({}, { kid })),
      ),
    ),
    allowed: { ...refused, upstreamCalls: KEY_REFETCH_CALLS },
  },
  {
    what: 'extensions of the signature: crit, b64, zip',
    send: signedWith(
      [{}, { crit: ['exp'] }],
      [{}, { crit: ['x'], x: 1 }],
      [{}, { crit: [] }],
      [{}, { b64: false }],
      [{}, { zip: 'DEF' }],
    ),
    allowed: refused,
  },
  {
    what: 'members twice: as sent, escaped, in another case',
    send: subjects(async (broker) => {
      const { header, claims } = await good(broker);
      const text = JSON.stringify(claims);
      return [
        unsigned(header, text.replace('{', '{"sub":"x",'), 'x'),
        unsigned(header, text.replace('{', '{"\\u0073ub":"x",'), 'x'),
        unsigned(JSON.stringify(header).replace('{', '{"alg":"none",'), claims, 'x'),
        await broker.signed({ Tid: 'x' }),
        await broker.signed({ OID: 'x', aUd: 'y' }),
      ];
    }),
    allowed: refused,
  },
  {
    what: 'nesting without end, members without end, a token longer than any of Entra',
    send: signedWith(
      [{ x: nested(500) }],
      [Object.fromEntries(Array.from({ length: 1_500 }, (_, n) => [`m${n}`, 1]))],
      [{ x: 'x'.repeat(18_300) }],
    ),
    allowed: { statuses: [400, 413] },
  },
  {
    what: 'a changed byte: signature cut, empty, zeros, padded, of another token; five segments; a blank',
    send: subjects(async (broker) => {
      const token = await broker.tokenOf('captions');
      const [header, claims, signature] = token.split('.');
      const [, others] = (await broker.tokenOf('operator')).split('.');
      return [
        `${header}.${claims}`,
        `${header}.${claims}.`,
        `${header}.${claims}.${Buffer.alloc(256).toString('base64url')}`,
        `${token}==`,
        `${token.slice(0, -2)}`,
        `${header}.${others}.${signature}`,
        `${token}.x.y`,
        `${header}. ${claims}.${signature}`,
        'e30.e30.e30',
        '..',
      ];
    }),
    allowed: refused,
  },
  {
    what: 'times: expired, from the future, no end, an end of text, of half a second, below zero, a life without end',
    send: (broker) =>
      signedWith(
        [{ exp: nowSeconds() - 1 }],
        [{ iat: nowSeconds() + 600 }],
        [{ nbf: nowSeconds() + 600 }],
        [{ exp: null }],
        [{ iat: null }],
        [{ nbf: null }],
        [{ exp: '9999999999' }],
        [{ exp: nowSeconds() + 600.5 }],
        [{ exp: -1 }],
        [{ iat: nowSeconds() - 200_000 }],
      )(broker),
    allowed: refused,
  },
  {
    what: 'tenants and versions crossed: issuer of one, tid of another; v1 claims under a v2 issuer',
    send: async (broker) => {
      const { otherTenantId, tenantId, authority } = broker.stack.description.entra;
      return signedWith(
        [{ tid: otherTenantId }],
        [{ iss: `${authority}/${otherTenantId}/v2.0` }],
        [{ tid: otherTenantId, iss: `${authority}/${otherTenantId}/v2.0` }],
        [{ iss: `${authority}/${tenantId}/v2.0/` }],
        [{ iss: `https://sts.windows.net/${tenantId}/` }],
        [{ ver: '1.0' }],
        [{ ver: '3.0' }],
        [{ ver: null }],
        [{ tid: tenantId.toUpperCase() }],
        [{ tid: 'common' }],
        [{ tid: '../../x' }],
      )(broker);
    },
    // The keys of v1 tokens are another set, read when the first such token comes.
    allowed: { ...refused, upstreamCalls: KEY_REFETCH_CALLS },
  },
  {
    what: 'tokens for somebody else, and other kinds of JWT',
    send: async (broker) => [
      ...(await signedWith(
        [{ aud: 'https://cognitiveservices.azure.com' }],
        [{ aud: ['x', broker.stack.description.entra.brokerClientId] }],
        [{ aud: `${broker.stack.description.entra.brokerClientId} ` }],
        [{ aud: null }],
        [{}, { typ: 'secevent+jwt' }],
        [{}, { typ: 'logout+jwt' }],
        [{}, { typ: 'dpop+jwt' }],
        [{ idtyp: null, roles: null, nonce: 'x' }],
      )(broker)),
      exchangeOf(await broker.tokenOf('outsider')),
    ],
    allowed: refused,
  },
  {
    what: 'a token bound to a key of its holder (cnf), sent as a plain bearer',
    send: signedWith(
      [{ cnf: { jkt: 'x' } }],
      [{ cnf: { 'x5t#S256': 'x' } }],
      [{ cnf: { jwk: strangersJwk } }],
    ),
    allowed: refused,
  },
  {
    what: 'a token that contradicts itself: of an application, with the scopes of a user',
    send: signedWith([{ idtyp: 'app', scp: 'Token.Exchange' }], [{ idtyp: 'user' }], [{ idtyp: 'device' }]),
    allowed: refused,
  },
  {
    what: 'claims of the wrong type: roles as text, ids that are no GUID, uti of 200 free characters',
    send: signedWith(
      [{ roles: 'Token.Exchange' }],
      [{ groups: 'x' }],
      [{ scp: ['Token.Exchange'], idtyp: null }],
      [{ oid: "' or 1 eq 1" }],
      [{ azp: '__proto__' }],
      [{ uti: 'x'.repeat(200) }],
      [{ uti: "' or PartitionKey ge '" }],
      [{ uti: 'line\nbreak' }],
      [{ sub: '' }],
      [{ oid: null }],
    ),
    allowed: refused,
  },
  {
    what: 'more rights by spelling: a role in another case, of the operator, of everything',
    send: signedWith([{ roles: ['token.exchange'] }], [{ roles: ['*'] }], [{ roles: ['Token.Exchange '] }]),
    allowed: refused,
  },
];
