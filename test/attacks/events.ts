/** Events and security event tokens by somebody who only pretends. What an event says of Azure is never believed, only read again. */
import type { Attack } from './attack.ts';
import { type Broker, delivery, event, hmacSigned, opened, strangerSigned, unsigned } from './broker.ts';
import type { Sending } from './send.ts';

const ROTATOR = '9a62f8b4-0e7d-4315-a9c8-3f5d1b7e2c33';
const STRANGER = '/subscriptions/0/resourceGroups/x/providers/Microsoft.CognitiveServices/accounts/x';
const regenerated = (resourceUri: string, more: object = {}) =>
  event('Microsoft.Resources.ResourceActionSuccess', {
    operationName: 'Microsoft.CognitiveServices/accounts/regenerateKey/action',
    resourceUri,
    ...more,
  });
const newVersion = (name: string, version = crypto.randomUUID().replaceAll('-', '')) =>
  event('Microsoft.KeyVault.SecretNewVersionCreated', { ObjectName: name, Version: version });
const userChanged = (id: string, organizationId: string) =>
  event('Microsoft.Graph.UserUpdated', {
    changeType: 'updated',
    resource: `Users/${id}`,
    resourceData: { id, organizationId },
  });

const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
const signal = (token: string): Sending => ({
  path: '/signals',
  headers: [['content-type', 'application/secevent+jwt']],
  body: token,
});
/** The claims of a good security event token about a user who does not exist; members of the caller's token are taken away. */
function setClaims(broker: Broker, over: object = {}): object {
  const [transmitter] = broker.stack.description.transmitters;
  const { authority, tenantId } = broker.stack.description.entra;
  const ofEntra = [
    'nbf',
    'exp',
    'sub',
    'azp',
    'azpacr',
    'oid',
    'rh',
    'roles',
    'tid',
    'uti',
    'ver',
    'idtyp',
    'aio',
  ];
  return {
    ...Object.fromEntries(ofEntra.map((name) => [name, null])),
    iss: transmitter?.issuer,
    aud: transmitter?.audience,
    iat: Math.floor(Date.now() / 1000),
    jti: crypto.randomUUID(),
    sub_id: { format: 'iss_sub', iss: `${authority}/${tenantId}/v2.0`, sub: crypto.randomUUID() },
    events: { [SESSION_REVOKED]: { event_timestamp: Math.floor(Date.now() / 1000) } },
    ...over,
  };
}
const TYPED = { typ: 'secevent+jwt' };
const sets =
  (...bends: readonly (readonly [claims: (broker: Broker) => object, header?: object])[]): Attack['send'] =>
  (broker) =>
    Promise.all(
      bends.map(async ([claims, header = {}]) =>
        signal(await broker.signed(setClaims(broker, claims(broker)), { ...TYPED, ...header })),
      ),
    );

export const events: readonly Attack[] = [
  {
    what: 'a delivery that is none: no type, a made-up one, no object, not JSON, a subscription of nobody',
    send: () => [
      { ...delivery([]), headers: [['content-type', 'application/json']] },
      { ...delivery([]), headers: [['aeg-event-type', 'Whatever']] },
      { ...delivery([]), method: 'GET' },
      { ...delivery([]), path: '/runtime/webhooks/eventgrid?functionName=rotate' },
      { ...delivery([]), path: '/runtime/webhooks/eventgrid?functionName=__proto__' },
    ],
    allowed: { statuses: [400, 404] },
  },
  {
    what: 'keys regenerated of an account that is not ours, or by our own rotator, who says so itself',
    send: (broker) => {
      const speech = broker.stack.description.resources.find(({ name }) => name === 'speech');
      return [
        delivery([regenerated(STRANGER)]),
        delivery([regenerated(String(speech?.accountId), { claims: { appid: ROTATOR } })]),
        delivery([regenerated('__proto__')]),
      ];
    },
    allowed: { statuses: [202] },
  },
  {
    what: 'new versions of secrets that are not ours',
    send: () => [delivery([newVersion('x'), newVersion('__proto__'), newVersion('../speech-key')])],
    allowed: { statuses: [202] },
  },
  {
    what: '100 new versions of a secret of ours, all made up',
    send: () =>
      Array.from({ length: 10 }, () => delivery(Array.from({ length: 10 }, () => newVersion('speech-key')))),
    // One look each batch: the vault's secret and the account's keys, each with a token of the identity.
    allowed: { statuses: [202], upstreamCalls: 60, writes: 60, cost: 200 },
  },
  {
    what: 'users changed who are of another tenant',
    send: (broker) => [
      delivery([userChanged(crypto.randomUUID(), broker.stack.description.entra.otherTenantId)]),
    ],
    allowed: { statuses: [202] },
  },
  {
    what: '100 users deleted who never existed',
    send: (broker) =>
      Array.from({ length: 10 }, () =>
        delivery(
          Array.from({ length: 10 }, () =>
            userChanged(crypto.randomUUID(), broker.stack.description.entra.tenantId),
          ),
        ),
      ),
    // Graph is asked twice about each: is it a user, was it one? Ten an hour are revoked in doubt, each by a row of
    // the log, one of the scope, the head and the record of its effect.
    allowed: { statuses: [202], upstreamCalls: 230, writes: 40, cost: 300 },
  },
  {
    what: 'a user disabled, by an event that says so of one who is not',
    send: (broker) => {
      const { entra, callers } = broker.stack.description;
      const ada = callers.find(({ name }) => name === 'ada')?.objectId ?? '';
      return [
        delivery([
          event('Microsoft.Graph.UserUpdated', {
            resource: `Users/${ada}`,
            resourceData: { id: ada, organizationId: entra.tenantId, accountEnabled: false },
          }),
        ]),
      ];
    },
    // Graph is asked about the one user.
    allowed: { statuses: [202], upstreamCalls: 4, cost: 60 },
  },
  {
    what: 'a leaked key that is in no slot, and one that is no hash',
    send: () => [
      delivery([event('AzureAiTokenBroker.KeyLeaked', { sha256: '0'.repeat(64) })]),
      delivery([event('AzureAiTokenBroker.KeyLeaked', { sha256: 'x', resource: '__proto__' })]),
    ],
    // The keys of each rotated account are read once, with a token of the identity; the second is kept for a person.
    allowed: { statuses: [202], upstreamCalls: 8, writes: 3, cost: 60 },
  },
  {
    what: '100 leaked keys, all made up',
    send: () =>
      Array.from({ length: 10 }, (_, batch) =>
        delivery(
          Array.from({ length: 10 }, (_, n) =>
            event('AzureAiTokenBroker.KeyLeaked', { sha256: `${batch}${n}`.padStart(64, '0') }),
          ),
        ),
      ),
    // Those that wait at the same time share one look at the keys of each rotated account. What came of each is kept for
    // an hour, because its sender is answered when it was handled.
    allowed: { statuses: [202], upstreamCalls: 60, writes: 100, cost: 200 },
  },
  {
    what: 'a revocation of a tenant, a resource or a grant that the policy does not know',
    send: () => [
      delivery(
        [
          { kind: 'tenant', tenantId: crypto.randomUUID() },
          { kind: 'resource', name: 'nothing' },
          { kind: 'grant', name: '*' },
          { kind: 'everything' },
        ].map((scope) => event('AzureAiTokenBroker.RevocationRequested', { scope, block: true })),
      ),
    ],
    // Each is kept for a person.
    allowed: { statuses: [202], writes: 4, cost: 60 },
  },
  {
    what: 'data nested 3,000 deep',
    send: () => [
      delivery(
        JSON.stringify([event('x', 'HERE')]).replace(
          '"HERE"',
          `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`,
        ),
      ),
    ],
    // As the host's JSON reader does it, before our code is asked. Event Grid tries again and then gives up.
    allowed: { statuses: [500] },
  },
  {
    what: 'a security event token without a signature, under a secret, of a stranger, by a key to be fetched',
    send: async (broker) => {
      const { header } = opened(await broker.tokenOf('captions'));
      const claims = Object.fromEntries(
        Object.entries(setClaims(broker)).filter(([, value]) => value !== null),
      );
      const head = { ...header, ...TYPED };
      return [
        unsigned({ ...head, alg: 'none' }, claims),
        unsigned({ ...head, alg: 'none' }, claims, 'x'),
        hmacSigned({ ...head, alg: 'HS256' }, claims, 'secret'),
        strangerSigned(head, claims),
        strangerSigned({ ...head, jku: `${broker.stack.description.control}/requests` }, claims),
      ].map(signal);
    },
    // The transmitter's keys, when its first token comes.
    allowed: { statuses: [400], upstreamCalls: 2 },
  },
  {
    what: 'a security event token of another issuer, for another audience, of another type',
    send: sets(
      [() => ({ iss: 'https://evil.example' })],
      [() => ({ iss: null })],
      [() => ({ aud: 'x' })],
      [() => ({ aud: null })],
      [() => ({}), { typ: 'JWT' }],
      [() => ({}), { typ: 'at+jwt' }],
      [() => ({}), { crit: ['x'], x: 1 }],
    ),
    allowed: { statuses: [400], upstreamCalls: 2 },
  },
  {
    what: 'a security event token that is also an access token: with exp and sub',
    send: sets(
      [() => ({ exp: Math.floor(Date.now() / 1000) + 600 })],
      [() => ({ sub: 'x' })],
      [() => ({ events: {} })],
      [() => ({ events: null })],
      [() => ({ sub_id: null })],
    ),
    allowed: { statuses: [400], upstreamCalls: 2 },
  },
  {
    what: 'an access token of a caller, as a security event token',
    send: async (broker) => [
      signal(await broker.tokenOf('captions')),
      signal(await broker.tokenOf('operator')),
    ],
    allowed: { statuses: [400] },
  },
  {
    what: 'a security event token of 15 KB: 2,200 members, nested 5,000 deep, all dots',
    send: () => {
      const encode = (text: string) => Buffer.from(text).toString('base64url');
      return [
        signal(`${encode('{"alg":"RS256"}')}.${encode(`{${'"":1,'.repeat(2_200)}"a":1}`)}.x`),
        signal(`${encode('{"alg":"RS256"}')}.${encode(`{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`)}.x`),
        signal('.'.repeat(15_000)),
      ];
    },
    allowed: { statuses: [400] },
  },
  {
    what: 'a security event token that is larger than any, of which nothing is read',
    send: () => [signal('x'.repeat(17_000)), signal('.'.repeat(30_000))],
    allowed: { statuses: [413] },
  },
  {
    what: 'a security event about an e-mail address that would be another address of Graph, or none',
    send: sets(
      ...['delta', '..', '$count', '../me@x/..', '\ud800@example.test', `${'x'.repeat(400)}@x`].map(
        (email) => [() => ({ sub_id: { format: 'email', email } })] as const,
      ),
    ),
    // Each is kept as about nobody; Graph is not asked.
    allowed: { statuses: [202], upstreamCalls: 2, writes: 6, cost: 60 },
  },
  {
    what: 'a security event about a user of a tenant that the transmitter may not speak about',
    send: (broker) =>
      sets([
        () => ({
          sub_id: {
            format: 'iss_sub',
            iss: `${broker.stack.description.entra.authority}/${broker.stack.description.entra.otherTenantId}/v2.0`,
            sub: crypto.randomUUID(),
          },
        }),
      ])(broker),
    // One of an unknown subject is kept, and named as such: the transmitter cannot do anything about it.
    allowed: { statuses: [202, 400], upstreamCalls: 2, writes: 1 },
  },
];
