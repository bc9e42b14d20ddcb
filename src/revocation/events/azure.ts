/** Handles the events that need the accounts, the vault or the directory: only the rotator app reaches these. */
import { coalesce } from '../../coalesce.ts';
import type { Policy } from '../../policy/schema.ts';
import type { Clock } from '../../ports.ts';
import { UpstreamFailure } from '../../upstream.ts';
import { keptText, type RecordEffect } from '../effect.ts';
import type { KeyRotation } from '../ports.ts';
import { keyTokenMs } from '../reach.ts';
import { LOOKS } from './azure-event.ts';
import { createCompare } from './compare.ts';
import { AZURE_EVENTS, type AzureEvent, KEY_LEAKED } from './event-types.ts';
import { type Handler, poison } from './react.ts';
import { readLeakedKey } from './request.ts';

export interface AzureEventDeps {
  /** The one in force, as the latest look at the shared state found it. */
  readonly policy: () => Policy;
  readonly homeTenantId: string;
  readonly rotatorClientId: string;
  readonly keys: KeyRotation;
  readonly recordEffect: RecordEffect;
  readonly freshnessMs: number;
  /** Reads the user from the directory and revokes the tokens that are no longer valid there. */
  readonly reviewUser: (objectId: string, receivedAtMs: number) => Promise<void>;
  readonly reviewGroups: (receivedAtMs: number) => Promise<void>;
  readonly now: Clock;
}

/** By the type of the event. */
export interface AzureHandlers {
  readonly [KEY_LEAKED]: Handler;
  readonly [type: string]: Handler;
}

export function createAzureHandlers(deps: AzureEventDeps): AzureHandlers {
  const { policy, keys, now } = deps;
  const compare = createCompare(keys);
  // One call to Graph reads the changes of all groups, so all events that wait share it.
  const reviewGroups = coalesce((receivedAtMs: readonly number[]) =>
    deps.reviewGroups(Math.min(...receivedAtMs)),
  );

  const leaked: Handler = async (event, receivedAtMs) => {
    const key = readLeakedKey(event.data);
    if ('kind' in key) return poison(key.problem);
    // The resource only says where to look first. If it is wrong, the leaked key must still be found.
    const found = await keys.findSlotByKeyHash(key.sha256, key.resource);
    if (found === undefined) {
      const named = policy().resources.find(({ name }) => name === key.resource);
      if (key.resource !== undefined && named === undefined)
        return poison('resource: no such resource in the policy');
      if (named !== undefined && named.rotation === undefined)
        return poison(`the keys of ${named.name} are not rotated here: renew them by hand`);
      // A second delivery of the event ends here too, because the key was regenerated and is in no slot any more.
      return 'leaked key is in no slot';
    }
    const { resource, slot } = found;
    const reason = keptText(key.reason) || 'the key has leaked';
    // Two reports may both find the key before it is regenerated. The later one must not take the new key for the leaked.
    const demand = `leak ${key.sha256.slice(0, 16)}`;
    const retired = await keys.retireNow(resource, { slot, emergency: true, reason, demand });
    // The rotation cannot begin now but may later, so the event must be delivered again.
    if (retired?.kind !== 'begun')
      throw new UpstreamFailure('arm', `no rotation of ${resource}: ${retired?.why}`);
    const inForceAtMs = now() + deps.freshnessMs;
    const lastTokenUntilMs = inForceAtMs + keyTokenMs(policy(), resource);
    const effect = { key: `key:${resource}:${slot}`, receivedAtMs, inForceAtMs, lastTokenUntilMs };
    await deps.recordEffect(effect, { source: keptText(`event ${event.id}`), reason });
    return 'emergency rotation';
  };

  const looking =
    (type: AzureEvent): Handler =>
    async (event, receivedAtMs) => {
      const look = LOOKS[type](event, deps);
      switch (look.at) {
        case 'poison':
          return poison(look.why);
        case 'nothing':
          return look.why;
        case 'user':
          await deps.reviewUser(look.objectId, receivedAtMs);
          return 'user read again';
        case 'groups':
          await reviewGroups(receivedAtMs);
          return 'groups read again';
        case 'resource':
          return compare(look.resource, look.version);
        case 'expiringSecret': {
          const published = await keys.publishedVersion(look.resource);
          if (published?.toLowerCase() !== look.version) return 'a version no longer current';
          await keys.retireNow(look.resource, { emergency: false, reason: 'its secret expires' });
          return 'rotation begun';
        }
      }
    };

  return {
    [KEY_LEAKED]: leaked,
    ...Object.fromEntries(AZURE_EVENTS.map((type) => [type, looking(type)])),
  };
}
