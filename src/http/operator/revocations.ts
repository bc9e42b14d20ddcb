/** `/operator/revocations`: what is refused and since when, and the acts that begin and end it. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { iso } from '../../iso.ts';
import type { Caller } from '../../ports.ts';
import { type Admit, AUDITOR, OPERATOR } from '../../revocation/admit.ts';
import type { Effect } from '../../revocation/effect.ts';
import type { Operate } from '../../revocation/operate.ts';
import { badRequest, guarded, hasMembers, json, NO_OBJECT, readObject } from './guard.ts';

export interface RevocationPorts {
  readonly admit: Admit;
  readonly operate: Pick<Operate, 'list' | 'revoke' | 'lift'>;
}

export function createRevocationRoutes({ admit, operate }: RevocationPorts) {
  async function revoke(request: HttpRequest, caller: Caller): Promise<HttpResponseInit> {
    const body = await readObject(request);
    if (body === 'unreadable') return badRequest(NO_OBJECT);
    const effect = await operate.revoke(body, caller.objectId);
    return 'kind' in effect ? badRequest(effect.problem) : json(200, times(effect));
  }
  async function lift(request: HttpRequest, caller: Caller): Promise<HttpResponseInit> {
    const body = await readObject(request);
    if (body === 'unreadable') return badRequest(NO_OBJECT);
    const { scope, ...others } = body;
    if (hasMembers(others)) return badRequest('the body has no other member than scope');
    const lifted = await operate.lift(scope, caller.objectId);
    return typeof lifted === 'object' ? badRequest(lifted.problem) : json(200, { lifted });
  }
  return {
    listRevocations: guarded(admit, AUDITOR, async () => json(200, { revocations: await operate.list() })),
    revoke: guarded(admit, OPERATOR, revoke),
    lift: guarded(admit, OPERATOR, lift),
  };
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
