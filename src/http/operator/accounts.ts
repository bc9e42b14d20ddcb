/** `/operator/rotation`: what the rotator does next for each account, and the wish that it begins now. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Demand } from '../../demand/demand.ts';
import type { Wish } from '../../demand/place.ts';
import { type Invalid, invalid } from '../../invalid.ts';
import type { Caller, Clock, Slot } from '../../ports.ts';
import { type Admit, AUDITOR, OPERATOR } from '../../revocation/admit.ts';
import type { Planned } from '../../rotation/planned.ts';
import { withoutSecrets } from '../../secret.ts';
import { correlationId } from '../correlation.ts';
import { problem } from '../problem.ts';
import { badRequest, guarded, hasMembers, json, NO_OBJECT, readObject } from './guard.ts';

export interface AccountPorts {
  readonly admit: Admit;
  readonly clock: Clock;
  readonly planned: Pick<Planned, 'plan'>;
  readonly place: (wish: Wish) => Promise<Demand>;
  /** The account's key in the tables (account-key.ts); undefined: the keys of this resource are not rotated. */
  readonly rotated: (resource: string) => string | undefined;
}

export function createAccountRoutes({ admit, clock, planned, place, rotated }: AccountPorts) {
  async function rotateNow(request: HttpRequest, caller: Caller): Promise<HttpResponseInit> {
    const resource = request.params['resource'] ?? '';
    const account = rotated(resource);
    if (account === undefined) return problem(404, 'Not Found', 'no such resource with keys that rotate');
    const body = await readObject(request);
    if (body === 'unreadable') return badRequest(NO_OBJECT);
    const wanted = readRotation(body);
    if ('kind' in wanted) return badRequest(wanted.problem);
    const { id } = await place({
      resource,
      account,
      who: caller.objectId,
      correlationId: correlationId(request.headers, clock()),
      ...wanted,
    });
    return json(202, { resource, demand: id }, { location: `/operator/demands/${id}` });
  }
  return {
    planRotation: guarded(admit, AUDITOR, async () => json(200, { resources: await planned.plan() })),
    rotateNow: guarded(admit, OPERATOR, rotateNow),
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
