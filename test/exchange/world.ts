/**
 * An exchange with everything real but its ports: shared state, vault, STS, Entra and audit are in memory,
 * under a clock that only moves when told. `outage` makes a port throw until it is cleared.
 */
import { accountKey, slotsOf } from '../../src/account-key.ts';
import { createExchange, type Exchange, type ExchangeRequest } from '../../src/exchange/exchange.ts';
import { createFreshness } from '../../src/exchange/freshness.ts';
import { createObtain } from '../../src/exchange/obtain.ts';
import { createRate } from '../../src/exchange/rate.ts';
import { createTokens } from '../../src/exchange/tokens.ts';
import type { VerifyCaller } from '../../src/exchange/verify.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import type {
  AuditRecord,
  Caller,
  IssuedRecord,
  IssuedToken,
  OnBehalfOfRefusal,
  Revocation,
  Scope,
  Slot,
  SlotState,
  VaultKey,
} from '../../src/ports.ts';
import { revokedBy } from '../../src/revocation/decision.ts';
import { scopeKey } from '../../src/revocation/scope.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure, type UpstreamService } from '../../src/upstream.ts';
import { samplePolicy } from '../policy/sample.ts';
import { NOW_MS } from './caller.ts';

export interface WorldOptions {
  readonly policy?: (policy: ReturnType<typeof samplePolicy>) => void;
  readonly freshnessMs?: number;
  readonly minimumLifeMs?: number;
  /** Absent: whoever asked through `ask` is believed. */
  readonly verify?: VerifyCaller;
}

export function createWorld(options: WorldOptions = {}) {
  const world = {
    nowMs: NOW_MS,
    audit: [] as AuditRecord[],
    /** Refusals of callers whom nobody verified, by reason, correlation id and resource. */
    strangers: [] as [string, string, string | undefined][],
    issued: [] as IssuedRecord[],
    declared: [] as { resource: string; slot: Slot; expiresAtMs: number }[],
    revocations: new Map<string, Revocation>(),
    slots: new Map<string, SlotState>(),
    callers: new Map<string, Caller>(),
    calls: { version: 0, load: 0, issueToken: 0, vault: 0, entra: 0 },
    outage: new Set<UpstreamService>(),
    auditFails: false,
    /** What Entra says to an on-behalf-of request; absent: a token. */
    refusal: undefined as OnBehalfOfRefusal | undefined,
    entraLifeMs: 4_000_000,
    managedLifeMs: 86_000_000,
    key: { slot: 'Key1', version: 'v1', value: 'key-one' },
    liveKeys: new Set(['key-one']),
    /** As the service makes them: two tokens of one second are one text. */
    stsBySecond: false,
    /** The text of every key-exchange token; absent: each has its own. */
    stsToken: undefined as string | undefined,
    /** What an exchange waited, all together. The clock moves by as much. */
    waitedMs: 0,
    /** Awaited inside the named port: tests hold an exchange there. */
    hold: new Map<'version' | 'issueToken' | 'audit' | 'vault' | 'declare', () => Promise<void>>(),
  };
  let head = 0;
  let serial = 0;
  const clock = (): number => world.nowMs;
  const up = async (service: UpstreamService): Promise<void> => {
    if (world.outage.has(service)) throw new UpstreamFailure(service, 'is down', 0);
  };
  const token = (kind: string, lifeMs: number): IssuedToken => {
    serial += 1;
    return { token: new Secret(`${kind}-token-${serial}`), expiresAtMs: world.nowMs + lifeMs };
  };

  const source = samplePolicy();
  options.policy?.(source);
  const policy = compilePolicy(loadPolicy(JSON.stringify(source)));
  const minimumLifeMs = options.minimumLifeMs ?? 60_000;
  const freshness = createFreshness(
    {
      version: async () => {
        world.calls.version += 1;
        await up('tables');
        const seen = `head-${head}`;
        await world.hold.get('version')?.();
        return seen;
      },
      load: async () => {
        world.calls.load += 1;
        await up('tables');
        return {
          version: `head-${head}`,
          revocations: new Map(world.revocations),
          slots: new Map(world.slots),
        };
      },
    },
    clock,
    options.freshnessMs ?? 0,
  );
  const obtain = createObtain({
    vault: {
      current: async (): Promise<VaultKey> => {
        world.calls.vault += 1;
        const { slot, version, value } = world.key;
        await world.hold.get('vault')?.();
        await up('keyvault');
        return {
          version,
          value: new Secret(value),
          tags: { slot },
          enabled: true,
          createdAtMs: 0,
          expiresAtMs: undefined,
        };
      },
      read: () => Promise.reject(new Error('no version is named here')),
    },
    sts: {
      issue: async (_host, key) => {
        world.calls.issueToken += 1;
        await up('sts');
        const isLive = world.liveKeys.has(key.reveal());
        await world.hold.get('issueToken')?.();
        if (!isLive) return 'keyRefused';
        if (world.stsToken !== undefined)
          return { token: new Secret(world.stsToken), expiresAtMs: world.nowMs + 600_000 };
        if (!world.stsBySecond) return token('sts', 600_000);
        const second = Math.floor(world.nowMs / 1000);
        return { token: new Secret(`sts-token-of-${second}`), expiresAtMs: (second + 600) * 1000 };
      },
    },
    ledger: {
      declare: async (resource, slot, _instance, expiresAtMs) => {
        await up('tables');
        world.declared.push({ resource, slot, expiresAtMs });
        await world.hold.get('declare')?.();
      },
      latestExpiryMs: async () => 0,
    },
    slotsNow: async (resource) => slotsOf((await freshness.now()).slots, resource),
    entra: {
      byApplication: async () => {
        world.calls.entra += 1;
        await up('entra');
        return token('entra', world.entraLifeMs);
      },
      byManagedIdentity: async () => {
        await up('identity');
        return token('managed', world.managedLifeMs);
      },
      onBehalfOf: async (_scope, user) => {
        world.calls.entra += 1;
        await up('entra');
        return world.refusal ?? token(`obo-${user.reveal()}`, world.entraLifeMs);
      },
    },
    issued: {
      record: async (record) => {
        await up('tables');
        world.issued.push(record);
      },
      find: async () => undefined,
    },
    clock,
    sleep: async () => undefined,
    instance: 'instance-1',
  });
  const tokens = createTokens(obtain, clock, minimumLifeMs, async (ms) => {
    world.waitedMs += ms;
    world.nowMs += ms;
  });
  const exchange: Exchange = createExchange({
    policy,
    verify:
      options.verify ??
      (async (text) =>
        world.callers.get(text) ?? { kind: 'caller_unverified', fault: 'signature', hint: 'unexplained' }),
    freshness,
    revokedBy,
    isDropped: (revocations, sha256) => revocations.has(scopeKey({ kind: 'issued', sha256 })),
    tokens,
    rate: createRate(),
    audit: {
      append: async (record) => {
        await world.hold.get('audit')?.();
        if (world.auditFails) throw new UpstreamFailure('tables', 'write audit: no answer in time');
        world.audit.push(record);
      },
    },
    refusedStranger: (...refusal) => world.strangers.push(refusal),
    clock,
    instance: 'instance-1',
    minimumLifeMs,
  });

  return Object.assign(world, {
    exchange,
    /** As a caller would: one exchange of this caller for this target. */
    ask: (caller: Caller, target: string, rest: Partial<ExchangeRequest> = {}) => {
      const text = `token of ${caller.objectId} ${caller.uti}`;
      world.callers.set(text, { ...caller, token: new Secret(text) });
      const request = { subjectToken: text, target, tokenKind: undefined, scope: undefined, ...rest };
      return exchange(request, 'correlation-1');
    },
    bump: (): void => {
      head += 1;
    },
    /** Written, then bumped, as every revocation is. */
    revoke: (scope: Scope, rest: Partial<Revocation> = {}): void => {
      const cutOffSeconds = Math.floor(world.nowMs / 1000) + 1;
      world.revocations.set(scopeKey(scope), { scope, cutOffSeconds, blocked: false, ...rest });
      head += 1;
    },
    lift: (scope: Scope): void => {
      world.revocations.delete(scopeKey(scope));
      head += 1;
    },
    setSlots: (resource: string, slots: SlotState): void => {
      const accountId = policy.target(resource)?.resource.accountId;
      world.slots.set(accountKey(accountId ?? ''), slots);
      head += 1;
    },
  });
}
export type World = ReturnType<typeof createWorld>;
