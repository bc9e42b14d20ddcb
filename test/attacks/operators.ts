/** Acts by those who may not act, and acts that are sent again. Each leaves a record in the audit. */
import type { Attack } from './attack.ts';
import { type Broker, JSON_TYPE } from './broker.ts';
import type { Sending } from './send.ts';

const ACTS = [
  '/operator/revocations',
  '/operator/revocations/lift',
  // Of an account without keys that rotate: to get in is enough to show.
  '/operator/accounts/documents/rotate',
  '/operator/accounts/documents/pause',
  '/operator/accounts/documents/resume',
];
const acts = (token: string): Sending[] =>
  ACTS.map((path) => ({ path, headers: [JSON_TYPE, ['authorization', `Bearer ${token}`]], body: '{}' }));
const refused = { statuses: [403], auditRows: ACTS.length };

/** A revocation of a token that nobody has, so that it changes nothing for the other rows. */
async function revoke(broker: Broker, reason: string, key: string): Promise<Sending> {
  const { tenantId } = broker.stack.description.entra;
  const authorization = `Bearer ${await broker.tokenOf('operator')}`;
  return {
    path: '/operator/revocations',
    headers: [JSON_TYPE, ['authorization', authorization], ['idempotency-key', key]],
    body: JSON.stringify({ scope: { kind: 'token', tenantId, uti: 'nobody-has-it' }, reason }),
  };
}

export const operators: readonly Attack[] = [
  {
    what: 'an auditor who acts',
    send: async (broker) => acts(await broker.tokenOf('auditor')),
    allowed: refused,
    acts: { refused: ACTS.length },
  },
  {
    what: 'a caller without a role who acts as an operator',
    send: async (broker) => acts(await broker.tokenOf('captions')),
    allowed: refused,
    acts: { refused: ACTS.length },
  },
  {
    what: 'an operator by the word of another tenant',
    send: async (broker) => {
      const { otherTenantId: tid, authority } = broker.stack.description.entra;
      const roles = ['Broker.Operator', 'Broker.Auditor'];
      return acts(await broker.signed({ tid, iss: `${authority}/${tid}/v2.0`, roles }));
    },
    // The policy does not name the tenant, so it is a stranger: counted, one record for all in ten seconds.
    allowed: { statuses: [401], auditRows: 2 },
    acts: {},
  },
  {
    what: 'an act replayed, as it was and as another one under its Idempotency-Key',
    send: async (broker) => {
      const key = crypto.randomUUID();
      const once = await revoke(broker, 'once', key);
      return [once, once, once, await revoke(broker, 'other', key)];
    },
    // What is repeated is looked for by its key, and changes nothing.
    allowed: { statuses: [200, 422], writes: 10, cost: 40 },
    acts: { done: 1, refused: 3 },
  },
  {
    what: 'a script, a formula, a line break and 100 kB as the reason of an act',
    send: (broker) =>
      Promise.all(
        [
          '<script>alert(1)</script>',
          '=HYPERLINK("https://evil.example")',
          'x\n{"event":"forged"}',
          'x'.repeat(100_000),
        ].map((reason) => revoke(broker, reason, crypto.randomUUID())),
      ),
    // 500: what the host itself says of a body that no route takes.
    allowed: { statuses: [200, 400, 500], writes: 20, cost: 40 },
    never: ['text/html', '\n{"event":"forged"}'],
    acts: { done: 2 },
  },
];
