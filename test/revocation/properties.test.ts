import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { revokedBy } from '../../src/revocation/decision.ts';
import { type Change, type Entry, isSpent, KEEP_MS, lift, raise } from '../../src/revocation/entry.ts';
import { CLIENT, caller, createWorld, HOME, START_MS, signSet, USER, type World } from './fakes.ts';

const NOW = START_MS / 1000;
const scope = { kind: 'user' as const, tenantId: HOME, objectId: USER };

/** Requests and signals about overlapping scopes, some of them the same event with other words. */
const request = fc.record({
  id: fc.constantFrom('e1', 'e2', 'e3'),
  eventType: fc.constant('AzureAiTokenBroker.RevocationRequested'),
  data: fc.record({
    scope: fc.constantFrom(
      scope,
      { kind: 'tenant', tenantId: HOME },
      { kind: 'client', tenantId: HOME, clientId: CLIENT },
      { kind: 'resource', name: 'aoai' },
      { kind: 'grant', name: 'people' },
    ),
    notBefore: fc.option(
      fc
        .integer({ min: -7200, max: 7200 })
        .map((seconds) => new Date(START_MS + seconds * 1000).toISOString()),
      { nil: undefined },
    ),
    block: fc.boolean(),
  }),
});
const signal = fc
  .record({
    jti: fc.constantFrom('j1', 'j2'),
    at: fc.integer({ min: -7200, max: 7200 }),
    oid: fc.constantFrom(USER, CLIENT),
  })
  .map(({ jti, at, oid }) =>
    signSet({
      header: { typ: 'secevent+jwt', alg: 'RS256', kid: 'tx-2026-03' },
      payload: {
        iss: 'https://idp.example.test/',
        // One jti names one event (RFC 8417 section 2.2).
        jti: `${jti} ${at} ${oid}`,
        iat: NOW,
        aud: 'https://broker.example.test/ssf',
        sub_id: { format: 'iss_sub', iss: `https://login.microsoftonline.com/${HOME}/v2.0`, sub: oid },
        events: {
          'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {
            event_timestamp: NOW + at,
          },
        },
      },
    }),
  );
const events = fc.array(fc.oneof(request, signal), { minLength: 1, maxLength: 8 });

function give(world: World, event: unknown): Promise<unknown> {
  return typeof event === 'string' ? world.revocation.signal(event) : world.revocation.react(event);
}
/** All that an exchange can see of it. */
function state(world: World): unknown {
  return [...world.entries]
    .map(([key, { cutOffSeconds, blocked, blocks }]) => [
      key,
      cutOffSeconds,
      blocked,
      Object.keys(blocks).sort(),
    ])
    .sort();
}
function decisions(world: World): unknown {
  return [-7300, -60, 0, 1, 7300].map((age) =>
    [caller(), caller({ objectId: CLIENT }), caller({ clientId: USER })].map(
      (who) =>
        revokedBy(world.entries, { ...who, issuedAtSeconds: NOW + age }, 'aoai', 'people') !== undefined,
    ),
  );
}

describe('events', () => {
  test('any order and any repetition of the same events end in the same state and decisions', async () => {
    await fc.assert(
      fc.asyncProperty(events, fc.infiniteStream(fc.nat()), async (some, numbers) => {
        const [once, again] = [createWorld(), createWorld()];
        for (const event of some) await give(once, event);
        const shuffled = [...some, ...some]
          .map((event) => ({ event, rank: numbers.next().value }))
          .sort((a, b) => a.rank - b.rank);
        for (const { event } of shuffled) await give(again, event);
        assert.deepEqual(state(again), state(once));
        assert.deepEqual(decisions(again), decisions(once));
      }),
      { numRuns: 100 },
    );
  });

  test('delivered all at once, with repetitions, they end in the state of one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(events, async (some) => {
        const [once, together] = [createWorld(), createWorld()];
        for (const event of some) await give(once, event);
        await Promise.all([...some, ...some].map((event) => give(together, event)));
        assert.deepEqual(state(together), state(once));
      }),
      { numRuns: 100 },
    );
  });

  test('whatever comes, no cut-off moves back and no block goes without an operator', async () => {
    await fc.assert(
      fc.asyncProperty(events, async (some) => {
        const world = createWorld();
        let before = new Map<string, Entry>();
        for (const event of some) {
          await give(world, event);
          world.advance(10_000);
          for (const [key, entry] of before) {
            assert.ok((world.entries.get(key)?.cutOffSeconds ?? 0) >= entry.cutOffSeconds);
            assert.ok(!entry.blocked || world.entries.get(key)?.blocked);
          }
          before = new Map(world.entries);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('an entry', () => {
  const change = fc.record({
    scope: fc.constant(scope),
    cutOffSeconds: fc.integer({ min: NOW - 9_000, max: NOW }),
    blockCause: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
    reason: fc.constant('r'),
    source: fc.constant('s'),
    receivedAtMs: fc.constant(START_MS),
  });
  const all = (changes: readonly Change[]): Entry | undefined =>
    changes.reduce<Entry | undefined>((entry, each) => raise(entry, each), undefined);

  test('raising is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const forward = all(changes);
        const backward = all([...changes, ...changes].reverse());
        assert.equal(backward?.cutOffSeconds, forward?.cutOffSeconds);
        assert.deepEqual(
          Object.keys(backward?.blocks ?? {}).sort(),
          Object.keys(forward?.blocks ?? {}).sort(),
        );
      }),
    );
  });

  test('a lift ends the blocks that it names and no other, keeps the cut-off, and done twice is done once', () => {
    const named = fc.subarray(['a', 'b', 'c']);
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), named, (changes, causes) => {
        const raised = all(changes);
        assert.ok(raised);
        const lifted = lift(raised, causes, START_MS + 1);
        const left = Object.keys(raised.blocks).filter((cause) => !causes.includes(cause));
        assert.deepEqual(Object.keys(lifted.blocks), left);
        assert.equal(lifted.blocked, left.length > 0);
        assert.equal(lifted.cutOffSeconds, raised.cutOffSeconds);
        assert.equal(lift(lifted, causes, START_MS + 2), lifted);
      }),
    );
  });

  test('that could still deny a living token, or is blocked, is never forgotten', () => {
    fc.assert(
      fc.property(change, fc.nat(3 * KEEP_MS), (each, laterMs) => {
        const entry = raise(undefined, each);
        const nowMs = START_MS + laterMs;
        if (!isSpent(entry, nowMs)) return;
        assert.equal(entry.blocked, false);
        // A token of 28 hours, issued in the last second before the cut-off, is dead.
        assert.ok(entry.cutOffSeconds * 1000 + 28 * 3_600_000 < nowMs);
      }),
    );
  });
});
