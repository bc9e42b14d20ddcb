/**
 * Handles one event of Event Grid. It returns when the event is done or stored as poison, and then Event Grid does not
 * deliver it again; it throws UpstreamFailure when the event must be delivered again. Events that come twice or in
 * another order end in the same state. The webhook's system key and the topic's access control decide who can send
 * events. What an event says about Azure is not believed but read again from Azure.
 */
import { coalesce } from '../../coalesce.ts';
import type { Policy } from '../../policy/schema.ts';
import type { Clock, Log } from '../../ports.ts';
import { sha256 } from '../../secret.ts';
import { UpstreamFailure } from '../../upstream.ts';
import { cutOffSeconds } from '../decision.ts';
import { keptText, type RecordEffect } from '../effect.ts';
import type { EventStore, KeyRotation } from '../ports.ts';
import { keyTokenMs } from '../reach.ts';
import type { Revoke } from '../revoke.ts';
import { scopeKey } from '../scope.ts';
import { armLook, graphLook, keyVaultLook, type Look } from './azure-event.ts';
import { createCompare } from './compare.ts';
import { type Envelope, readEnvelope, shape } from './envelope.ts';
import { readLeakedKey, readRequest } from './request.ts';

export interface ReactDeps {
  readonly policy: Policy;
  readonly homeTenantId: string;
  readonly rotatorClientId: string;
  readonly events: EventStore;
  readonly keys: KeyRotation;
  readonly revoke: Revoke;
  readonly recordEffect: RecordEffect;
  readonly freshnessMs: number;
  /** Reads the user from the directory and revokes the tokens that are no longer valid there. */
  readonly reviewUser: (objectId: string, receivedAtMs: number) => Promise<void>;
  readonly reviewGroups: (receivedAtMs: number) => Promise<void>;
  readonly now: Clock;
  readonly log: Log;
}

/** Longer than the 24 hours of Event Grid, because operators can send dead-lettered events again by hand. */
const KEEP_REQUEST_MS = 30 * 86_400_000;
const KEEP_POISON_MS = 90 * 86_400_000;

type Handler = (event: Envelope, receivedAtMs: number) => Promise<string>;

/** @returns the handler, which returns its outcome in a few words, for the log */
export function createReact(deps: ReactDeps): (event: unknown) => Promise<string> {
  const { policy, events, keys, revoke, now, log } = deps;
  const compare = createCompare(keys);
  // One call to Graph reads the changes of all groups, so all events that wait share it.
  const reviewGroups = coalesce((receivedAtMs: readonly number[]) =>
    deps.reviewGroups(Math.min(...receivedAtMs)),
  );
  const unknownTypes = new Map<string, number>();

  async function poison(event: unknown, envelope: Envelope | undefined, why: string): Promise<string> {
    const { id = '', type = '', source = '', subject = '' } = envelope ?? {};
    const sent = { id, type, source, subject, why, shape: shape(event) };
    // All these texts come from the sender, who may have put a key or a token into any of them, also into a name.
    const safe = Object.entries(sent).map(([name, value]) => [name, keptText(value, 1_000)]);
    const record = { ...Object.fromEntries(safe), receivedAt: iso(now()) };
    const key = sha256(JSON.stringify(sent));
    await events.keepFirst('poison', key, record, now() + KEEP_POISON_MS);
    log('event_poison', { id: keptText(id, 100), type: keptText(type, 100), why });
    return 'poison';
  }

  async function requested(event: Envelope, receivedAtMs: number): Promise<string> {
    const request = readRequest(event.data, policy);
    if ('kind' in request) return poison(event, event, request.problem);
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
  }

  async function leaked(event: Envelope, receivedAtMs: number): Promise<string> {
    const key = readLeakedKey(event.data);
    if ('kind' in key) return poison(event, event, key.problem);
    // The resource only says where to look first. If it is wrong, the leaked key must still be found.
    const found = await keys.findSlotByKeyHash(key.sha256, key.resource);
    if (found === undefined) {
      const named = policy.resources.find(({ name }) => name === key.resource);
      if (key.resource !== undefined && named === undefined)
        return poison(event, event, 'resource: no such resource in the policy');
      if (named !== undefined && named.rotation === undefined)
        return poison(event, event, `the keys of ${named.name} are not rotated here: renew them by hand`);
      // A second delivery of the event ends here too, because the key was regenerated and is in no slot any more.
      return 'leaked key is in no slot';
    }
    const { resource, slot } = found;
    const reason = keptText(key.reason) || 'the key has leaked';
    const retired = await keys.retireNow(resource, { slot, emergency: true, reason });
    // The rotation cannot begin now but may later, so the event must be delivered again.
    if (retired?.kind !== 'begun')
      throw new UpstreamFailure('arm', `no rotation of ${resource}: ${retired?.why}`);
    const inForceAtMs = now() + deps.freshnessMs;
    const lastTokenUntilMs = inForceAtMs + keyTokenMs(policy, resource);
    const effect = { key: `key:${resource}:${slot}`, receivedAtMs, inForceAtMs, lastTokenUntilMs };
    await deps.recordEffect(effect, { source: keptText(`event ${event.id}`), reason });
    return 'emergency rotation';
  }

  const looking =
    (where: (event: Envelope) => Look): Handler =>
    async (event, receivedAtMs) => {
      const look = where(event);
      switch (look.at) {
        case 'poison':
          return poison(event, event, look.why);
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

  const keyVault = looking((event) => keyVaultLook(event, policy));
  const arm = looking((event) => armLook(event, policy, deps.rotatorClientId));
  const graph = looking((event) => graphLook(event, deps.homeTenantId));
  const handlers = new Map<string, Handler>(
    Object.entries({
      'AzureAiTokenBroker.RevocationRequested': requested,
      'AzureAiTokenBroker.KeyLeaked': leaked,
      'Microsoft.KeyVault.SecretNewVersionCreated': keyVault,
      'Microsoft.KeyVault.SecretNearExpiry': keyVault,
      'Microsoft.KeyVault.SecretExpired': keyVault,
      'Microsoft.Resources.ResourceActionSuccess': arm,
      'Microsoft.Resources.ResourceWriteSuccess': arm,
      'Microsoft.Resources.ResourceDeleteSuccess': arm,
      'Microsoft.Graph.UserUpdated': graph,
      'Microsoft.Graph.UserDeleted': graph,
      'Microsoft.Graph.GroupUpdated': graph,
      'Microsoft.Graph.GroupDeleted': graph,
    }).map(([type, handler]) => [type.toLowerCase(), handler]),
  );

  return async (event) => {
    const receivedAtMs = now();
    const envelope = readEnvelope(event);
    if ('kind' in envelope) return poison(event, undefined, envelope.problem);
    const handler = handlers.get(envelope.type.toLowerCase());
    if (handler === undefined) {
      const type = keptText(envelope.type, 100);
      // The map is bounded, because a sender can invent any number of types.
      const seen = (unknownTypes.get(type) ?? 0) + 1;
      if (unknownTypes.size < 1_000 || unknownTypes.has(type)) unknownTypes.set(type, seen);
      log('event_unknown', { type, seen });
      return 'unknown type';
    }
    const outcome = await handler(envelope, receivedAtMs);
    log('event', {
      // The log itself prints what is as short as a trace id, and a key of 32 digits is.
      id: keptText(envelope.id, 100),
      type: envelope.type,
      outcome,
      tookMs: now() - receivedAtMs,
    });
    return outcome;
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
