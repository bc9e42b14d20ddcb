import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MAX_CLOCKS_DIFFER_SECONDS } from '../../src/clocks.ts';
import type { Revocation, Scope } from '../../src/ports.ts';
import { cutOffSeconds, revokedBy } from '../../src/revocation/decision.ts';
import { scopeKey } from '../../src/revocation/scope.ts';
import { CLIENT, caller, HOME, OTHER, START_MS, USER } from './fakes.ts';

const NOW = START_MS / 1000;
const BLUEPRINT = 'b0000000-0000-4000-8000-00000000000b';
const withScope = (scope: Scope, cutOff: number, blocked = false): Map<string, Revocation> =>
  new Map([[scopeKey(scope), { scope, cutOffSeconds: cutOff, blocked }]]);
const scopes: Scope[] = [
  { kind: 'tenant', tenantId: HOME },
  { kind: 'user', tenantId: HOME, objectId: USER },
  { kind: 'subject', tenantId: HOME, subject: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ' },
  { kind: 'client', tenantId: HOME, clientId: CLIENT },
  { kind: 'token', tenantId: HOME, uti: 'AAAABBBBCCCCDDDDEEEE' },
  { kind: 'resource', name: 'aoai' },
  { kind: 'grant', name: 'people' },
];

function assertRefusedWhateverItsDate(scope: Scope): void {
  for (const issuedAtSeconds of [0, NOW - 1, NOW, NOW + 1, NOW + 28 * 3_600])
    assert.ok(revokedBy(withScope(scope, NOW), caller({ issuedAtSeconds }), 'aoai', 'people'));
}

for (const scope of scopes)
  test(`a ${scope.kind} scope refuses ${scope.kind === 'token' ? 'its token, whatever its date' : 'what is dated before its cut-off, and nothing after'}`, () => {
    if (scope.kind === 'token') return assertRefusedWhateverItsDate(scope);
    const revocations = withScope(scope, NOW);
    const decide = (issuedAtSeconds: number) =>
      revokedBy(revocations, caller({ issuedAtSeconds }), 'aoai', 'people')?.scope;
    assert.deepEqual(decide(NOW - 1), scope);
    assert.equal(decide(NOW), undefined);
    assert.equal(decide(NOW + 1), undefined);
  });

test('a block refuses every token of its scope, however new', () => {
  for (const scope of scopes)
    assert.ok(revokedBy(withScope(scope, 0, true), caller({ issuedAtSeconds: 4e9 }), 'aoai', 'people'));
});

test('nobody outside the scope is refused', () => {
  const others: Scope[] = [
    { kind: 'tenant', tenantId: OTHER },
    { kind: 'user', tenantId: OTHER, objectId: USER },
    { kind: 'user', tenantId: HOME, objectId: CLIENT },
    { kind: 'client', tenantId: HOME, clientId: USER },
    { kind: 'token', tenantId: HOME, uti: 'aaaabbbbccccddddeeee' },
    { kind: 'subject', tenantId: HOME, subject: 'aaaaaaaaaaaaaaaaaaaaaikzqfvrsasafhy782bbtaq' },
    { kind: 'resource', name: 'speech' },
    { kind: 'grant', name: 'apps' },
  ];
  for (const scope of others)
    assert.equal(revokedBy(withScope(scope, 0, true), caller(), 'aoai', 'people'), undefined);
});

test('a blueprint that is revoked refuses every agent of it, and nobody else', () => {
  const blueprint: Scope = { kind: 'client', tenantId: HOME, clientId: BLUEPRINT };
  for (const revocations of [withScope(blueprint, NOW), withScope(blueprint, 0, true)])
    for (const actsFor of ['itself', 'own_account', 'person', 'unstated'] as const) {
      const of = (blueprintId: string) =>
        revokedBy(
          revocations,
          caller({ issuedAtSeconds: NOW - 1, agent: { blueprintId, actsFor } }),
          'aoai',
          'people',
        )?.scope;
      assert.deepEqual(of(BLUEPRINT), blueprint);
      assert.deepEqual(of(BLUEPRINT.toUpperCase()), blueprint);
      assert.equal(of(USER), undefined);
    }
  assert.equal(revokedBy(withScope(blueprint, 0, true), caller(), 'aoai', 'people'), undefined);
});

test('one agent that is revoked leaves the others of its blueprint', () => {
  const agent = { blueprintId: BLUEPRINT, actsFor: 'itself' } as const;
  const one = withScope({ kind: 'client', tenantId: HOME, clientId: CLIENT }, 0, true);
  assert.ok(revokedBy(one, caller({ agent }), 'aoai', 'people'));
  assert.equal(revokedBy(one, caller({ clientId: USER, agent }), 'aoai', 'people'), undefined);
});

test('an older cut-off of one scope never hides a newer one of another', () => {
  for (const wide of scopes)
    for (const narrow of scopes) {
      if (wide === narrow || wide.kind === 'token') continue;
      const both = new Map([...withScope(wide, NOW - 1_000), ...withScope(narrow, NOW)]);
      assert.deepEqual(
        revokedBy(both, caller({ issuedAtSeconds: NOW - 1 }), 'aoai', 'people')?.scope,
        narrow,
      );
    }
});

test('what is dated until the very second of a revocation, and as far ahead as clocks differ, is refused', () => {
  for (const ms of [0, 1, 500, 999]) {
    const cutOff = cutOffSeconds(undefined, START_MS + ms);
    const last = NOW + MAX_CLOCKS_DIFFER_SECONDS;
    const [scope] = scopes;
    assert.ok(
      scope && revokedBy(withScope(scope, cutOff), caller({ issuedAtSeconds: last }), 'aoai', 'people'),
    );
    assert.equal(
      revokedBy(withScope(scope, cutOff), caller({ issuedAtSeconds: last + 1 }), 'aoai', 'people'),
      undefined,
    );
  }
});

test('a time that has passed is rounded up to a second, and what may be dated ahead of it is refused too', () => {
  const ahead = MAX_CLOCKS_DIFFER_SECONDS;
  assert.equal(cutOffSeconds((NOW - 10) * 1000, START_MS), NOW - 10 + ahead);
  assert.equal(cutOffSeconds((NOW - 10) * 1000 + 1, START_MS), NOW - 9 + ahead, 'rounded up');
});

test('a time in the future is clamped to now', () => {
  fc.assert(
    fc.property(fc.nat(1e9), fc.nat(999), (aheadMs, ms) => {
      assert.equal(
        cutOffSeconds(START_MS + 1_000 + aheadMs, START_MS + ms),
        cutOffSeconds(undefined, START_MS),
      );
    }),
  );
});

test('GUIDs in another casing name the same scope; uti and sub keep theirs', () => {
  const key = (scope: Scope) => scopeKey(scope);
  assert.equal(
    key({ kind: 'tenant', tenantId: HOME.toUpperCase() }),
    key({ kind: 'tenant', tenantId: HOME }),
  );
  assert.notEqual(
    key({ kind: 'token', tenantId: HOME, uti: 'Ab' }),
    key({ kind: 'token', tenantId: HOME, uti: 'aB' }),
  );
});

test('different scopes have different keys, and a key holds only what a table key may', () => {
  const text = fc.string({ minLength: 1, maxLength: 40, unit: 'binary' });
  const scope: fc.Arbitrary<Scope> = fc.oneof(
    fc.record({ kind: fc.constant('token' as const), tenantId: text, uti: text }),
    fc.record({ kind: fc.constant('subject' as const), tenantId: text, subject: text }),
  );
  fc.assert(
    fc.property(scope, scope, (a, b) => {
      assert.match(scopeKey(a), /^[A-Za-z0-9_.~:-]+$/);
      const folded = ({ tenantId, ...rest }: Scope & { tenantId: string }) =>
        JSON.stringify([tenantId.toLowerCase(), rest]);
      if (a.kind === b.kind && 'tenantId' in a && 'tenantId' in b && folded(a) !== folded(b))
        assert.notEqual(scopeKey(a), scopeKey(b));
    }),
    { numRuns: 300 },
  );
});

describe('the token that would be accepted instead', () => {
  const tried = caller({ issuedAtSeconds: NOW - 60 });
  const asked = (revocations: Map<string, Revocation>) =>
    revokedBy(revocations, tried, 'aoai', 'people')?.acceptedFromSeconds;

  test('is none while any of the scopes is blocked, whatever else refuses', () => {
    for (const blocked of scopes) {
      if (blocked.kind === 'token') continue;
      for (const other of scopes)
        if (other !== blocked) {
          const refused = revokedBy(
            new Map([...withScope(other, NOW + 60), ...withScope(blocked, 0, true)]),
            tried,
            'aoai',
            'people',
          );
          assert.deepEqual(refused, { scope: blocked, acceptedFromSeconds: undefined });
        }
    }
  });

  test('of one revoked token is any that is dated later, even if that token is blocked', () => {
    const [scope] = scopes.filter(({ kind }) => kind === 'token');
    assert.ok(scope);
    for (const blocked of [false, true]) assert.equal(asked(withScope(scope, NOW + 600, blocked)), NOW - 59);
  });

  test('is accepted: no other entry refuses it, and none that is older is', () => {
    const entry = fc.record({
      scope: fc.constantFrom(...scopes),
      cutOff: fc.integer({ min: NOW - 120, max: NOW + 120 }),
    });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 7 }), (entries) => {
        const revocations = new Map(entries.flatMap(({ scope, cutOff }) => [...withScope(scope, cutOff)]));
        const from = asked(revocations);
        if (from === undefined) return;
        const next = (issuedAtSeconds: number) =>
          revokedBy(revocations, caller({ issuedAtSeconds, uti: 'the-next' }), 'aoai', 'people');
        assert.equal(next(from), undefined);
        // Not asked for more than is needed, but for another token where one was revoked by its name.
        if (from > NOW - 59) assert.ok(next(from - 1));
      }),
    );
  });
});
