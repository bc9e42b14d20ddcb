import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accessDifference, inSentence } from '../../src/policy/difference.ts';
import { aCaller } from '../exchange/caller.ts';
import { BASE, callersAreInTheDifference, policy, touches } from './differing.ts';

test('whoever gains or loses a kind for a resource is in the difference, and nobody else', () => {
  assert.ok(callersAreInTheDifference(3_000, 1) > 0);
});

test('every change is met by a caller who has only what it names', () => {
  fc.assert(
    fc.property(policy, policy, (before, after) => {
      for (const change of accessDifference(before, after)) {
        const named = (condition: string) =>
          [...change.callers].flatMap((text) =>
            text.startsWith(`${condition} `) ? [text.slice(condition.length + 1)] : [],
          );
        const least = aCaller({
          tenantId: named('tenant')[0] ?? '',
          clientId: named('clientId')[0] ?? 'nobody',
          objectId: named('objectId')[0] ?? 'nobody',
          agent: { blueprintId: named('blueprint')[0] ?? 'nobody', actsFor: 'itself' },
          appRoles: named('appRole'),
          scopes: named('scope'),
          groups: named('group'),
        });
        assert.ok(touches(least, change), inSentence(change));
      }
    }),
    { numRuns: 2_000, seed: 1 },
  );
});

test('a policy that is compared with itself has no difference', () => {
  assert.deepEqual(accessDifference(BASE, BASE), []);
});
