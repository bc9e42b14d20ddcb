import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWhatIf } from '../../src/exchange/what-if.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import type { AuditRecord } from '../../src/ports.ts';
import { samplePolicy } from '../policy/sample.ts';
import { ada, bob, captions } from './people.ts';
import { whatIfLoad } from './what-if-load.ts';
import { createWorld } from './world.ts';

/** What an exchange itself records of these requests. */
async function recorded(): Promise<AuditRecord[]> {
  const world = createWorld();
  for (let left = 3; left > 0; left -= 1) await world.ask(captions, 'speech');
  await world.ask(ada, 'chat');
  await world.ask(bob, 'speech');
  await world.ask(captions, 'chat', { tokenKind: 'entra' });
  world.revoke({ kind: 'user', tenantId: bob.tenantId, objectId: bob.objectId });
  await world.ask(bob, 'chat');
  return world.audit;
}
const replay = (records: readonly AuditRecord[], bend: (policy: ReturnType<typeof samplePolicy>) => void) => {
  const source = samplePolicy();
  bend(source);
  const whatIf = createWhatIf(compilePolicy(loadPolicy(JSON.stringify(source))));
  for (const record of records) whatIf.add(record);
  return whatIf.result();
};

test('the policy of then changes nothing', async () => {
  const { changed, same, unknown, requests } = replay(await recorded(), () => undefined);
  assert.deepEqual([changed, same, unknown, requests], [[], 7, 0, 7]);
});

test('who loses and who gains, the most affected first, each with an example', async () => {
  const { changed, same } = replay(await recorded(), (policy) => {
    policy.grants.shift();
    Object.assign(policy.grants[0] ?? {}, { resources: ['chat', 'speech'] });
  });
  assert.deepEqual(
    changed.map(({ caller, before, after, resource, grant, reason, count }) => [
      caller.objectId,
      `${before} ${after}`,
      resource,
      grant,
      reason,
      count,
    ]),
    [
      [captions.objectId, 'granted refused', 'speech', 'captions', 'grant_missing', 3],
      [bob.objectId, 'refused granted', 'speech', 'people', 'grant_missing', 1],
    ],
  );
  assert.equal(changed[0]?.example, 'correlation-1');
  assert.equal(same, 3, 'a request that a revocation refused among them');
});

test('what a record does not hold is unknown, and neither the same nor changed', async () => {
  const records = (await recorded()).map(({ claims, ...record }) => ({
    ...record,
    ...(claims && { claims: { ...claims, groups: [], left: 1 } }),
  }));
  const { unknown } = replay(records, () => undefined);
  assert.ok(unknown > 0);
  const before: AuditRecord[] = records.map(({ claims: _, ...record }) => record);
  assert.equal(replay(before, () => undefined).unknown, 6);
});

test('refusals of callers whom nobody verified are not replayed', () => {
  const counted = {
    at: '',
    correlationId: '',
    outcome: 'refused',
    instance: '',
    reason: 'x',
    count: 9,
  } as const;
  assert.equal(replay([counted], () => undefined).requests, 0);
});

test('a list of changes is bounded, and what is not in it is counted', async () => {
  const { result } = await whatIfLoad(2_000);
  const listed = result.changed.reduce((sum, { count }) => sum + count, 0);
  assert.equal(result.changed.length, 1_000);
  assert.equal(result.requests, result.same + result.unknown + listed + result.unlisted);
});
