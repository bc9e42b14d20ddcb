/** Parameters, headers and routes used as they are not meant. */
import type { Attack } from './attack.ts';
import { type Broker, EXCHANGE, exchangeOf, FORM, formOf, JSON_TYPE } from './broker.ts';
import type { Sending } from './send.ts';

const bearer = (token: string) => ['authorization', `Bearer ${token}`] as const;
const withBearer = async (broker: Broker, name = 'captions') => bearer(await broker.tokenOf(name));
const plain = new URLSearchParams({ grant_type: EXCHANGE, resource: 'speech' }).toString();
const everybody = Buffer.from(
  JSON.stringify({ userId: 'admin', userRoles: ['admin', 'Broker.Operator'] }),
).toString('base64');
const json = (body: string): Sending => ({ headers: [JSON_TYPE], body });
const manyMembers = (count: number): string =>
  `{${Array.from({ length: count }, (_, n) => `"${n}":""`).join()}}`;
const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const OPERATOR_ROUTES = [
  ['GET', '/operator/revocations'],
  ['POST', '/operator/revocations'],
  ['POST', '/operator/revocations/lift'],
  ['GET', '/operator/events'],
  ['GET', '/operator/audit'],
  ['GET', '/operator/accounts'],
  ['GET', '/operator/operations'],
  // Of an account without keys that rotate: to get in is enough to show.
  ['POST', '/operator/accounts/documents/rotate'],
  ['POST', '/operator/accounts/documents/pause'],
] as const;

export const requests: readonly Attack[] = [
  {
    what: 'a parameter twice, in the form',
    send: () =>
      ['grant_type', 'subject_token', 'subject_token_type', 'resource', 'scope', 'x'].map((name) => ({
        headers: [FORM],
        body: `${formOf('a.b.c', { [name]: 'x' })}&${name}=y`,
      })),
    allowed: { statuses: [400] },
  },
  {
    what: 'two targets, by resource and audience',
    send: async (broker) => [exchangeOf(await broker.tokenOf('captions'), { audience: 'chat' })],
    allowed: { statuses: [400] },
  },
  {
    what: 'two Authorization headers, and one with two tokens',
    send: async (broker) => {
      const one = await withBearer(broker);
      return [
        { headers: [FORM, one, one], body: plain },
        { headers: [FORM, one, await withBearer(broker, 'operator')], body: plain },
        { headers: [FORM, ['authorization', `${one[1]},${one[1]}`]], body: plain },
        { headers: [FORM, ['authorization', `${one[1]} x`]], body: plain },
      ];
    },
    allowed: { statuses: [400] },
  },
  {
    what: 'a token in the body and another as Bearer',
    send: async (broker) => [
      {
        headers: [FORM, await withBearer(broker)],
        body: formOf(await broker.tokenOf('nightly')),
      },
    ],
    allowed: { statuses: [400] },
  },
  {
    what: 'a token in the query, in a cookie, as Basic, in other headers',
    send: async (broker) => {
      const token = await broker.tokenOf('captions');
      return [
        { path: `/oauth2/token?subject_token=${token}&access_token=${token}`, headers: [FORM], body: plain },
        ...(
          [
            ['cookie', `access_token=${token}`],
            ['authorization', `Basic ${Buffer.from(`captions:${token}`).toString('base64')}`],
            ['authorization', token],
            ['x-ms-token-aad-access-token', token],
            ['proxy-authorization', `Bearer ${token}`],
          ] as const
        ).map((header) => ({ headers: [FORM, header], body: plain })),
      ];
    },
    allowed: { statuses: [400, 401] },
  },
  {
    what: 'identity headers of App Service authentication, sent by a stranger',
    send: () =>
      [
        ['x-ms-client-principal', everybody],
        ['x-ms-client-principal-id', 'admin'],
        ['x-ms-client-principal-name', 'admin'],
      ].flatMap(([name = '', value = '']) => [
        { headers: [FORM, [name, value]], body: plain } as const,
        { method: 'GET', path: '/operator/audit', headers: [[name, value]] } as const,
        {
          path: '/oauth2/introspect',
          headers: [FORM, [name, value]],
          body: 'token=x',
        } as const,
      ]),
    allowed: { statuses: [400, 401] },
  },
  {
    what: 'Host and X-Forwarded-* of another site, in the metadata',
    send: () =>
      (
        [
          ['host', 'evil.example'],
          ['x-forwarded-host', 'evil.example'],
          ['forwarded', 'host=evil.example;proto=https'],
          ['x-original-host', 'evil.example'],
          ['x-original-url', '/operator/audit'],
          ['x-rewrite-url', '/operator/audit'],
        ] as const
      ).map((header) => ({
        method: 'GET',
        path: '/.well-known/oauth-authorization-server',
        headers: [header],
      })),
    allowed: { statuses: [200] },
    never: ['evil.example', 'records'],
  },
  {
    what: 'operator routes without a token, and with tokens of callers, of an outsider with the role, of one token type',
    send: async (broker) => {
      const { otherTenantId, authority } = broker.stack.description.entra;
      const foreign = await broker.signed({
        tid: otherTenantId,
        iss: `${authority}/${otherTenantId}/v2.0`,
        roles: ['Broker.Operator'],
      });
      const headers = [
        [],
        [await withBearer(broker)],
        [await withBearer(broker, 'ada')],
        [await withBearer(broker, 'outsider')],
        [bearer(foreign)],
        [bearer(await broker.signed({ roles: ['broker.operator', 'Broker.Operator '] }))],
      ];
      return OPERATOR_ROUTES.flatMap(([method, path]) =>
        headers.map((sent) => ({
          method,
          path,
          headers: [JSON_TYPE, ...sent],
          body: method === 'GET' ? '' : '{}',
        })),
      );
    },
    allowed: { statuses: [401, 403] },
  },
  {
    what: "a user's token with the operator's app role, but without the operator's scope",
    send: async (broker) => {
      const token = await broker.signed({ idtyp: null, scp: 'openid', roles: ['Broker.Operator'] });
      return OPERATOR_ROUTES.map(([method, path]) => ({
        method,
        path,
        headers: [JSON_TYPE, bearer(token)],
        body: method === 'GET' ? '' : '{}',
      }));
    },
    allowed: { statuses: [401, 403] },
  },
  {
    what: 'ways around the routes: encoded, doubled and dotted slashes, other methods, an override',
    send: async (broker) => [
      ...[
        '/operator%2faudit',
        '//operator/audit',
        '/oauth2/token/../../operator/audit',
        '/operator/audit;x=y',
      ].map((path) => ({ method: 'GET', path })),
      ...['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'].map((method) => ({ method, path: '/oauth2/token' })),
      {
        method: 'GET',
        path: '/oauth2/token',
        headers: [['x-http-method-override', 'POST'] as const, await withBearer(broker)],
      },
    ],
    allowed: { statuses: [400, 401, 404] },
  },
  {
    what: 'JSON: members twice, of other types, of the prototype, no object, not JSON',
    send: () =>
      [
        `{"grant_type":"${EXCHANGE}","grant_type":"x"}`,
        `{"grant_type":"${EXCHANGE}","GRANT_TYPE":"x"}`,
        '{"grant_type":["x"]}',
        '{"grant_type":null}',
        '{"__proto__":{"grant_type":"x"}}',
        '{"constructor":{"prototype":{}}}',
        '[]',
        'null',
        '"x"',
        '1e999',
        '{"a":1e999}',
        '\uFEFF{}',
        '{',
      ].map(json),
    allowed: { statuses: [400] },
  },
  {
    what: 'JSON as large as an exchange: 2,500 members, nested 12,000 deep, 6,000 parameters of a form',
    send: () => [
      json(manyMembers(2_500)),
      json(nested(12_000)),
      { headers: [FORM], body: 'a=&'.repeat(6_000) },
    ],
    allowed: { statuses: [400] },
  },
  {
    what: 'JSON of 64 KB: 7,000 members, nested 32,000 deep; a form of 20,000 parameters',
    send: () => [
      json(manyMembers(7_000)),
      json(nested(32_000)),
      { headers: [FORM], body: 'a=&'.repeat(20_000) },
    ],
    // The host refuses it by its length alone, in Azure with an empty 500 too.
    allowed: { statuses: [400, 413, 500] },
  },
  {
    what: 'another content type, two of them, none, a gzip body',
    send: () => [
      { headers: [['content-type', 'text/plain']], body: plain },
      { headers: [['content-type', 'multipart/form-data; boundary=x']], body: '--x--' },
      { headers: [FORM, JSON_TYPE], body: plain },
      { body: plain },
      { headers: [FORM, ['content-encoding', 'gzip']], body: '\u001f\u008b' },
    ],
    allowed: { statuses: [400, 415] },
  },
  {
    what: 'actors, client authentication, other grants and token types',
    send: async () =>
      [
        { actor_token: 'x', actor_token_type: 'y' },
        { client_secret: 'x' },
        { client_assertion: 'x' },
        { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
        { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
        { grant_type: 'client_credentials' },
        { token_kind: 'key' },
        { subject_token: undefined },
      ].map((rest) => exchangeOf('a.b.c', rest)),
    allowed: { statuses: [400] },
  },
  {
    what: 'a kind or a scope that the grant does not give',
    send: async (broker) => [
      exchangeOf(await broker.tokenOf('captions'), { token_kind: 'entra' }),
      exchangeOf(await broker.tokenOf('captions'), { token_kind: 'obo' }),
      exchangeOf(await broker.tokenOf('captions'), { scope: 'https://management.azure.com/.default' }),
    ],
    allowed: { statuses: [400] },
  },
  {
    what: 'health, asked 200 times',
    send: () => Array.from({ length: 200 }, () => ({ method: 'GET', path: '/health' })),
    allowed: { statuses: [200], tableReads: 20 },
  },
  {
    what: '300 exchanges with a token that is none',
    send: () => Array.from({ length: 300 }, () => exchangeOf('a.b.c')),
    allowed: { statuses: [400], auditRows: 60 },
  },
];
