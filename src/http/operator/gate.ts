/**
 * Who may use `/operator/*`. Operators and auditors send their own Entra token as Bearer, with the app role
 * `Broker.Auditor` to read or `Broker.Operator` to change something. A person's token needs the scope `Broker.Operate`
 * too, so that the person's other clients cannot operate for them. Who is refused is in the audit.
 */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { reason } from '../../denial.ts';
import { iso } from '../../iso.ts';
import type { AuditLog, Caller, Clock } from '../../ports.ts';
import { type Admit, hasRole, OPERATOR_SCOPE, type Role } from '../../revocation/admit.ts';
import { UpstreamFailure } from '../../upstream.ts';
import { correlationId } from '../correlation.ts';
import { correlated, problem, unavailable } from '../problem.ts';
import { CHALLENGE, refusedBearer } from '../protected-form.ts';
import { wrongQuery } from '../query.ts';
import { readBearer } from '../token-request.ts';
import { badRequest } from './body.ts';

/** @param correlationId of the request, for the audit */
export type Action = (
  request: HttpRequest,
  caller: Caller,
  correlationId: string,
) => Promise<HttpResponseInit>;

export interface Gate {
  readonly admit: Admit;
  readonly clock: Clock;
  readonly audit: AuditLog;
  /** Counts a refusal of somebody unverified; nothing waits for that. */
  readonly refusedStranger: (reason: string, correlationId: string, resource: string | undefined) => void;
  readonly instance: string;
}
/** What a route asks of its caller, and what the audit calls an attempt on it. */
export interface Door {
  readonly role: Role;
  /** Who has this one may come in too. */
  readonly orRole?: Role;
  readonly act: string;
  /** The names of the query parameters that the route takes. */
  readonly query?: readonly string[];
}

/** Runs the action for a verified caller who is not revoked and has the role. Else a problem; in an outage 503. */
export function guarded(gate: Gate, { role, orRole = role, act, query = [] }: Door, action: Action) {
  return admitted(gate, async (request, caller, id) => {
    if (!hasRole(caller, role) && !hasRole(caller, orRole)) {
      const { tenantId, clientId, objectId, uti } = caller;
      await gate.audit.append({
        at: iso(gate.clock()),
        correlationId: id,
        outcome: 'refused',
        instance: gate.instance,
        ...{ tenantId, clientId, objectId, uti },
        act,
        problem: `without the app role ${role}`,
      });
      return problem(
        403,
        'Forbidden',
        `the app role ${role} is required, and in a person's token the scope ${OPERATOR_SCOPE} too`,
        { 'www-authenticate': `${CHALLENGE}, error="insufficient_scope"` },
      );
    }
    const wrong = wrongQuery(request.url, query);
    return wrong === undefined ? await action(request, caller, id) : badRequest(wrong);
  });
}

/** Runs the action for a verified caller who is not revoked, whatever its roles. */
export function admitted(gate: Gate, action: Action) {
  return async (request: HttpRequest): Promise<HttpResponseInit> => {
    const id = correlationId(request.headers, gate.clock());
    return correlated(await answered(gate, action, request, id), id);
  };
}

async function answered(
  gate: Gate,
  action: Action,
  request: HttpRequest,
  id: string,
): Promise<HttpResponseInit> {
  try {
    const bearer = readBearer(request.headers.get('authorization') ?? '');
    const caller = bearer === undefined ? undefined : await gate.admit(bearer, 'operator');
    if (caller !== undefined && 'objectId' in caller) return await action(request, caller, id);
    gate.refusedStranger(`operator: ${caller === undefined ? 'no token' : reason(caller)}`, id, undefined);
    const { challenge, description } =
      caller === undefined
        ? { challenge: CHALLENGE, description: 'send an Entra access token as Bearer' }
        : refusedBearer(caller);
    return problem(401, 'Unauthorized', description, { 'www-authenticate': challenge });
  } catch (error) {
    if (error instanceof UpstreamFailure) return unavailable(error);
    throw error;
  }
}
