/**
 * The head's bump against the exchange: two instances exchange with `exchange.ts` behind `freshness.ts`, while an
 * operator revokes with `revoke.ts`, may be killed at it and is asked again, and the rotator moves the head for
 * reasons of its own. An exchange that began after the revocation had returned and is granted is what must not be.
 */

import { createExchange } from '../../src/exchange/exchange.ts';
import type { Seen } from '../../src/exchange/freshness.ts';
import { createFreshness } from '../../src/exchange/freshness.ts';
import type { Revocation, Snapshot } from '../../src/ports.ts';
import { isDropped, revokedBy } from '../../src/revocation/decision.ts';
import type { Entry } from '../../src/revocation/entry.ts';
import { createRevoke } from '../../src/revocation/revoke.ts';
import { scopeKey } from '../../src/revocation/scope.ts';
import { Secret } from '../../src/secret.ts';
import { inForce } from '../policy/rules.ts';
import { caller, createWorld, policy, START_MS } from '../revocation/fakes.ts';
import type { Call, Script } from './actor.ts';
import type { Model } from './explore.ts';

const rules = inForce(policy);

export type HeadMutation =
  | 'no final look at the head'
  | 'the bump before the write'
  | 'no bump where nothing was changed';

export interface HeadWorld {
  readonly nowMs: number;
  /** The instances for which the head has moved since they read what is behind it, and where they are in that. */
  readonly moved: readonly string[];
  readonly entry: Entry | null;
  readonly hasReturned: boolean;
  readonly granted: number;
  readonly refused: number;
  /** Granted, though it began after the revocation had returned. */
  readonly tooLate: number;
}

const who = caller();
const scope = { kind: 'user', tenantId: who.tenantId, objectId: who.objectId } as const;
const held = {
  token: new Secret('an upstream token'),
  issuedAtMs: START_MS,
  expiresAtMs: START_MS + 3_600_000,
  slot: undefined,
  epoch: 0,
  generation: 0,
};

const instance =
  (mutation: HeadMutation | undefined): Script =>
  async (ask, clock) => {
    // One number for each time that the head was seen to move: as an ETag, it says no more than that.
    let versions = 0;
    const real = createFreshness(
      {
        version: async () => {
          if (await ask<boolean>('read head')) versions += 1;
          return String(versions);
        },
        load: async (): Promise<Snapshot> => {
          // Read again before the rows, so that what changes in between shows as moved.
          await ask('note head');
          const entry = await ask<Entry | null>('read entries');
          const revocations = new Map<string, Revocation>(entry === null ? [] : [[scopeKey(scope), entry]]);
          return { version: String(versions), revocations, slots: new Map(), policy: undefined };
        },
      },
      async () => rules,
      clock,
      0,
    );
    await real.now();
    const began = await ask<boolean>('begin');
    const known = async (): Promise<Seen> => real.known() ?? real.fresh();
    const exchange = createExchange({
      verify: async () => who,
      freshness: mutation === 'no final look at the head' ? { ...real, fresh: known } : real,
      revokedBy,
      isDropped,
      tokens: { held: () => held, bought: async () => held },
      rate: { take: () => 0, giveBack: () => undefined },
      audit: { append: async () => undefined },
      refusedStranger: () => undefined,
      clock,
      instance: 'model',
      minimumLifeMs: 60_000,
    });
    const request = { subjectToken: 't', target: 'aoai', tokenKind: 'entra' as const, scope: undefined };
    const answer = await exchange(request, 'c');
    await ask('answer', 'token' in answer, began);
  };

const operator =
  (mutation: HeadMutation | undefined): Script =>
  async (ask) => {
    let changed = false;
    const isEarly = mutation === 'the bump before the write';
    const revoke = createRevoke({
      table: {
        update: async (_key, change) => {
          if (isEarly) await ask('bump');
          // The adapter writes under an ETag; nobody else writes this entry.
          const current = await ask<Entry | null>('read entry');
          const next = change(current ?? undefined);
          changed = next !== undefined && next !== current;
          if (changed) await ask('write entry', JSON.stringify(next));
          return next;
        },
        list: async () => [],
        trimLog: async () => 0,
        remove: async () => undefined,
      },
      // Nothing is blocked here, so nothing is asked about what was lifted.
      events: createWorld().deps.events,
      head: {
        bump: async () => {
          if (isEarly || (mutation === 'no bump where nothing was changed' && !changed)) return;
          await ask('bump');
        },
      },
      recordEffect: async (effect) => effect,
      policy: () => policy,
      freshnessMs: 0,
      now: () => START_MS,
    });
    const change = { scope, cutOffSeconds: START_MS / 1000 + 1, blockCause: undefined };
    await revoke([{ ...change, reason: '', source: '', receivedAtMs: START_MS }]);
    await ask('returned');
  };

/** A promotion and an emergency, as far as an exchange of an Entra token sees them. */
const rotator: Script = async (ask) => {
  await ask('bump');
  await ask('bump');
};

function apply(
  world: HeadWorld,
  process: string,
  { name, args }: Call,
): { world: HeadWorld; value: unknown } {
  const same = (value: unknown) => ({ world, value });
  switch (name) {
    case 'read head':
      return same(world.moved.includes(process));
    case 'note head':
      return { world: { ...world, moved: world.moved.filter((one) => one !== process) }, value: null };
    case 'read entry':
    case 'read entries':
      return same(world.entry);
    case 'write entry':
      return { world: { ...world, entry: JSON.parse(String(args[0])) as Entry }, value: null };
    case 'bump':
      return { world: { ...world, moved: ['first', 'second'] }, value: null };
    case 'returned':
      return { world: { ...world, hasReturned: true }, value: null };
    case 'begin':
      return same(world.hasReturned);
    case 'answer': {
      const [granted, began] = args;
      const tooLate = world.tooLate + Number(granted === true && began === true);
      return granted === true
        ? { world: { ...world, granted: world.granted + 1, tooLate }, value: null }
        : { world: { ...world, refused: world.refused + 1 }, value: null };
    }
    default:
      throw new Error(`the model does not know ${name}`);
  }
}

export function headModel(mutation?: HeadMutation): Model<HeadWorld> {
  return {
    world: {
      nowMs: START_MS,
      moved: ['first', 'second'],
      entry: null,
      hasReturned: false,
      granted: 0,
      refused: 0,
      tooLate: 0,
    },
    processes: {
      first: instance(mutation),
      second: instance(mutation),
      operator: operator(mutation),
      rotator,
    },
    apply,
    // Only the operator writes the entry, and an answer changes nothing that anybody reads.
    isPrivate: ({ name }) => name === 'answer' || name === 'read entry',
    // Each instance serves again with what it remembers only within one exchange; the operator asks until it is done.
    beginsAgain: (process, { hasReturned }) => process === 'operator' && !hasReturned,
    later: () => [],
    violation: ({ tooLate }) =>
      tooLate > 0 ? 'an exchange that began after the revocation had returned was granted' : undefined,
  };
}
