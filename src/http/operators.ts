/**
 * `/operator/*`, for operators and auditors. They send their own Entra token as Bearer, with the app role
 * `Broker.Auditor` to read or `Broker.Operator` to change something. A person's token needs the scope `Broker.Operate`
 * too, so that the person's other clients cannot operate for them. Answers are JSON, problems are RFC 9457.
 */

import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import * as z from 'zod';
import { type Demand, demandShape } from '../demand/demand.ts';
import type { Wish } from '../demand/place.ts';
import { type Invalid, invalid } from '../invalid.ts';
import { iso } from '../iso.ts';
import type { AuditRecord, Caller, Clock, Slot } from '../ports.ts';
import { type Admit, AUDITOR, OPERATOR } from '../revocation/admit.ts';
import type { Effect } from '../revocation/effect.ts';
import type { Operate } from '../revocation/operate.ts';
import type { Planned } from '../rotation/planned.ts';
import { withoutSecrets } from '../secret.ts';
import { correlationId } from './correlation.ts';
import {
  type Action,
  badRequest,
  guarded,
  hasMembers,
  json,
  NO_OBJECT,
  type Role,
  readObject,
} from './operator/guard.ts';
import { problem } from './problem.ts';

/** One page of the audit of a day (`2026-11-22`, UTC). `after` is the `next` of the page before, or empty. */
export type ReadAudit = (
  day: string,
  resource: string | undefined,
  after: string,
) => Promise<{ readonly records: readonly AuditRecord[]; readonly next?: string }>;

export interface OperatorPorts {
  readonly readAudit: ReadAudit;
  readonly clock: Clock;
  readonly admit: Admit;
  readonly operate: Operate;
  readonly planned: Pick<Planned, 'plan'>;
  readonly demands: {
    place(wish: Wish): Promise<Demand>;
    find(id: string): Promise<Demand | undefined>;
  };
  /** The name that the audit has for a resource, given its name, its endpoint or whatever a caller sent. */
  readonly recordedAs: (resource: string) => string;
  /** The account's key in the tables (account-key.ts); undefined: the keys of this resource are not rotated. */
  readonly rotated: (resource: string) => string | undefined;
}

export type OperatorAction =
  | 'listRevocations'
  | 'revoke'
  | 'lift'
  | 'listEvents'
  | 'readAudit'
  | 'planRotation'
  | 'rotateNow'
  | 'readDemand';

/** What `next` looks like: a time, then the instance. The tables refuse a query with odd characters, which would be a 503. */
const AUDIT_ROW = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z-[\w-]{1,100}$/;

export function createOperatorEndpoints(
  ports: OperatorPorts,
): Readonly<Record<OperatorAction, (request: HttpRequest) => Promise<HttpResponseInit>>> {
  const { operate, planned, demands } = ports;
  const as = (role: Role, action: Action, query: readonly string[] = []) =>
    guarded(ports.admit, role, action, query);
  return {
    listRevocations: as(AUDITOR, async () => json(200, { revocations: await operate.list() })),

    revoke: as(OPERATOR, async (request, caller) => {
      const body = await readObject(request);
      if (body === 'unreadable') return badRequest(NO_OBJECT);
      const effect = await operate.revoke(body, name(caller));
      return 'kind' in effect ? badRequest(effect.problem) : json(200, times(effect));
    }),

    lift: as(OPERATOR, async (request, caller) => {
      const body = await readObject(request);
      if (body === 'unreadable') return badRequest(NO_OBJECT);
      const { scope, ...others } = body;
      if (hasMembers(others)) return badRequest('the body has no other member than scope');
      const lifted = await operate.lift(scope, name(caller));
      return typeof lifted === 'object' ? badRequest(lifted.problem) : json(200, { lifted });
    }),

    listEvents: as(AUDITOR, async () =>
      json(200, {
        poison: await operate.received('poison'),
        signals: await operate.received('signal'),
        effects: await operate.effects(),
      }),
    ),

    readAudit: as(
      AUDITOR,
      async ({ query }) => {
        const day = query.get('day') ?? iso(ports.clock()).slice(0, 10);
        if (!z.iso.date().safeParse(day).success) return badRequest('day must be a date such as 2026-11-22');
        const after = query.get('after') ?? '';
        if (after !== '' && !AUDIT_ROW.test(after))
          return badRequest('after must be the next of the page before');
        const resource = query.get('resource');
        return json(
          200,
          await ports.readAudit(day, resource === null ? undefined : ports.recordedAs(resource), after),
        );
      },
      ['day', 'resource', 'after'],
    ),

    planRotation: as(AUDITOR, async () => json(200, { resources: await planned.plan() })),

    rotateNow: as(OPERATOR, async (request, caller) => {
      const resource = request.params['resource'] ?? '';
      const account = ports.rotated(resource);
      if (account === undefined) return problem(404, 'Not Found', 'no such resource with keys that rotate');
      const body = await readObject(request);
      if (body === 'unreadable') return badRequest(NO_OBJECT);
      const wanted = readRotation(body);
      if ('kind' in wanted) return badRequest(wanted.problem);
      const asked = {
        resource,
        account,
        who: name(caller),
        correlationId: correlationId(request.headers, ports.clock()),
        ...wanted,
      };
      const { id } = await demands.place(asked);
      return json(202, { resource, demand: id }, { location: `/operator/demands/${id}` });
    }),

    readDemand: as(AUDITOR, async ({ params }) => {
      const id = z.guid().safeParse(params['id']);
      const found = id.success ? await demands.find(id.data.toLowerCase()) : undefined;
      if (found === undefined) return problem(404, 'Not Found', 'no such demand');
      return json(200, demandShape.strip().parse(found));
    }),
  };
}

function readRotation(
  value: Record<string, unknown>,
): { slot?: Slot; emergency: boolean; reason: string } | Invalid {
  const { slot, emergency = false, reason = 'by hand', ...others } = value;
  if (hasMembers(others)) return invalid('the body has no other members than slot, emergency and reason');
  if (slot !== undefined && slot !== 'Key1' && slot !== 'Key2') return invalid('slot must be Key1 or Key2');
  if (typeof emergency !== 'boolean') return invalid('emergency must be true or false');
  if (typeof reason !== 'string') return invalid('reason must be a text');
  return { ...(slot === undefined ? {} : { slot }), emergency, reason: withoutSecrets(reason).slice(0, 256) };
}

function times(effect: Effect): Record<string, unknown> {
  return {
    key: effect.key,
    receivedAt: iso(effect.receivedAtMs),
    inForceAt: iso(effect.inForceAtMs),
    timeToEffectMs: effect.inForceAtMs - effect.receivedAtMs,
    lastTokenUntil: iso(effect.lastTokenUntilMs),
  };
}

const name = ({ objectId }: Caller): string => objectId;
