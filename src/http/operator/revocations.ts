/** `/operator/revocations`: what is refused and since when, and the acts that begin and end it. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { iso } from '../../iso.ts';
import type { Perform } from '../../operations/perform.ts';
import { AUDITOR } from '../../revocation/admit.ts';
import type { Operate, RevocationView } from '../../revocation/operate.ts';
import { acting } from './acts.ts';
import { badRequest, json, PAGE, pageOf, readPage } from './body.ts';
import { type Gate, guarded } from './gate.ts';
import { askWhoIsMeant, type PersonPorts } from './person.ts';

export interface RevocationPorts extends PersonPorts {
  readonly gate: Gate;
  readonly perform: Perform;
  readonly operate: Pick<Operate, 'list' | 'read' | 'revoke' | 'readLift' | 'lift'>;
}

export function createRevocationRoutes({ gate, perform, operate, ...person }: RevocationPorts) {
  async function list(request: HttpRequest): Promise<HttpResponseInit> {
    const page = readPage(request);
    if (typeof page === 'string') return badRequest(page);
    const entries = await operate.list();
    const sorted = entries.toSorted((one, other) => (orderOf(one) < orderOf(other) ? 1 : -1));
    const { after } = page;
    const rest = after === undefined ? sorted : sorted.filter((entry) => orderOf(entry) < after);
    return json(200, pageOf(rest, page.limit, orderOf));
  }
  return {
    listRevocations: guarded(gate, { role: AUDITOR, act: 'read revocations', query: PAGE }, list),
    revoke: acting(gate, perform, 'revoke', async (body) => {
      const question = await askWhoIsMeant(person, body);
      if (question !== undefined) return question;
      const request = operate.read(body);
      if ('problem' in request) return request;
      return {
        target: request.key,
        work: async ({ id, at, reason }, { objectId }) => {
          const act = { who: objectId, id, atMs: Date.parse(at), reason };
          const effect = await operate.revoke(request, act);
          return {
            key: effect.key,
            scope: request.scope,
            cutOff: iso(effect.cutOffSeconds * 1000),
            blocked: request.block,
            reason,
            source: `operator ${objectId}`,
            receivedAt: iso(effect.receivedAtMs),
            inForceAt: iso(effect.inForceAtMs),
            timeToEffectMs: effect.inForceAtMs - effect.receivedAtMs,
            lastTokenUntil: iso(effect.lastTokenUntilMs),
          };
        },
        answer: (operation, result) => json(200, { operation, ...result }),
      };
    }),
    lift: acting(gate, perform, 'lift', async (body) => {
      const question = await askWhoIsMeant(person, body);
      if (question !== undefined) return question;
      const wanted = await operate.readLift(body);
      if ('problem' in wanted) return wanted;
      return {
        target: wanted.key,
        work: async (_, { objectId }) => ({
          scope: wanted.scope,
          lifted: await operate.lift(wanted.scope, objectId),
        }),
        answer: (operation, result) => json(200, { operation, ...result }),
      };
    }),
  };
}

/** The newest first; of two of the same moment the keys decide. */
const orderOf = ({ receivedAt, key }: RevocationView): string => `${receivedAt} ${key}`;
