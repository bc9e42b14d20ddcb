/** A revocation is told by one clock, a token is dated by another, and both may be off by a minute. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_CLOCK_OFF_SECONDS, MAX_CLOCKS_DIFFER_SECONDS } from '../../src/clocks.ts';
import type { Scope } from '../../src/ports.ts';
import { revokedBy } from '../../src/revocation/decision.ts';
import { CLIENT, caller, createWorld, HOME, revokeBy, START_MS, USER } from './fakes.ts';

const MAX_OFF_MS = MAX_CLOCK_OFF_SECONDS * 1000;
const { subject = '', uti } = caller();
const scopes: Scope[] = [
  { kind: 'tenant', tenantId: HOME },
  { kind: 'user', tenantId: HOME, objectId: USER },
  { kind: 'subject', tenantId: HOME, subject },
  { kind: 'client', tenantId: HOME, clientId: CLIENT },
  { kind: 'token', tenantId: HOME, uti },
  { kind: 'resource', name: 'aoai' },
  { kind: 'grant', name: 'people' },
];
const offMs = fc.integer({ min: -MAX_OFF_MS, max: MAX_OFF_MS });

/** Revokes at `START_MS` by an instance whose clock is off, then looks at a token of Entra's. */
async function isRefused(
  scope: Scope,
  by: 'event' | 'operator',
  clocks: { instanceOffMs: number; entraOffMs: number; issuedMs: number },
): Promise<boolean> {
  const world = createWorld();
  world.advance(clocks.instanceOffMs);
  const { react } = world.revocation;
  const eventType = 'AzureAiTokenBroker.RevocationRequested';
  await (by === 'operator'
    ? revokeBy(world, { scope }, 'o')
    : react({ id: '1', eventType, data: { scope } }));
  const issuedAtSeconds = Math.floor((START_MS + clocks.issuedMs + clocks.entraOffMs) / 1000);
  return revokedBy(world.entries, caller({ issuedAtSeconds }), 'aoai', 'people') !== undefined;
}

for (const scope of scopes)
  test(`${scope.kind}: what was issued until the revocation is refused, however Entra's clock and the instance's are off`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('event' as const, 'operator' as const),
        offMs,
        offMs,
        fc.integer({ min: -3_600_000, max: 0 }),
        async (by, instanceOffMs, entraOffMs, issuedMs) => {
          assert.ok(await isRefused(scope, by, { instanceOffMs, entraOffMs, issuedMs }));
        },
      ),
      { numRuns: 200, examples: [['event', -MAX_OFF_MS, MAX_OFF_MS, 0]] },
    );
  });

const others = scopes.filter(({ kind }) => kind !== 'token');
const seconds = (count: number) => count * 1000;

test('where all clocks are right, a sign-in after two minutes and a second is accepted', async () => {
  const right = { instanceOffMs: 0, entraOffMs: 0 };
  for (const scope of others) {
    const issuedMs = seconds(MAX_CLOCKS_DIFFER_SECONDS + 1);
    assert.equal(await isRefused(scope, 'event', { ...right, issuedMs: issuedMs - 1 }), true);
    assert.equal(await isRefused(scope, 'event', { ...right, issuedMs }), false);
  }
});

test('however they are off, a sign-in after four minutes and a second is accepted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...others), offMs, offMs, async (scope, instanceOffMs, entraOffMs) => {
      const issuedMs = seconds(2 * MAX_CLOCKS_DIFFER_SECONDS + 1);
      assert.equal(await isRefused(scope, 'event', { instanceOffMs, entraOffMs, issuedMs }), false);
    }),
    { examples: [[others[0] ?? scopes[0], MAX_OFF_MS, -MAX_OFF_MS]] },
  );
});
