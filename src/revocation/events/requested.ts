/** Handles the broker's own event `RevocationRequested`. */
import type { Policy } from '../../policy/schema.ts';
import { sha256 } from '../../secret.ts';
import { cutOffSeconds } from '../decision.ts';
import type { EventStore } from '../ports.ts';
import type { Revoke } from '../revoke.ts';
import { scopeKey } from '../scope.ts';
import { type Handler, poison } from './react.ts';
import { readRequest } from './request.ts';

export interface RequestedDeps {
  /** The one in force, as the latest look at the shared state found it. */
  readonly policy: () => Policy;
  readonly events: EventStore;
  readonly revoke: Revoke;
}

/** Longer than the 24 hours of Event Grid, because operators can send dead-lettered events again by hand. */
const KEEP_REQUEST_MS = 30 * 86_400_000;

export function createRequested({ policy, events, revoke }: RequestedDeps): Handler {
  return async (event, receivedAtMs) => {
    const request = readRequest(event.data, policy());
    if ('kind' in request) return poison(request.problem);
    const { scope, notBeforeMs, block, reason } = request;
    // The cut-off of the first delivery is stored, so that a later delivery of the same event does not move it.
    const cause = sha256(JSON.stringify([event.id, event.source, scopeKey(scope), notBeforeMs ?? '', block]));
    const cutOff = String(cutOffSeconds(notBeforeMs, receivedAtMs));
    const first = await events.keepFirst('request', cause, { cutOff }, receivedAtMs + KEEP_REQUEST_MS);
    await revoke([
      {
        scope,
        cutOffSeconds: Number(first['cutOff']),
        blockCause: block ? cause : undefined,
        reason,
        source: `event ${event.id}`,
        receivedAtMs,
      },
    ]);
    return 'revoked';
  };
}
