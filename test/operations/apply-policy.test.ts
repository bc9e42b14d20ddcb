import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PolicyApplied } from '../../src/operations/apply-policy.ts';
import { compact, versionOf } from '../../src/policy/version.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { changeTo, type Fate, Killed, policyNumber, started } from './publishing.ts';

const well = async (): Promise<Fate> => 'well';
const versionNumber = (number: number): string => versionOf(compact(policyNumber(number)));
const goOn = async () => undefined;

async function ended(work: Promise<PolicyApplied>): Promise<PolicyApplied['kind'] | 'killed' | 'unknown'> {
  try {
    return (await work).kind;
  } catch (error) {
    if (error instanceof Killed) return 'killed';
    if (error instanceof UpstreamFailure) return 'unknown';
    throw error;
  }
}

for (const step of ['pointer', 'keep', 'remember', 'point', 'bump'])
  for (const fate of ['killed before', 'killed after', 'fails before', 'answer lost'] as const)
    test(`an apply with "${fate}" at ${step} leaves one whole version, and the same call again ends it`, async () => {
      const shared = await started();
      const expected = shared.current?.version ?? '';
      let isStruck = false;
      const strike = async (call: string): Promise<Fate> => {
        if (call !== step || isStruck) return 'well';
        isStruck = true;
        return fate;
      };
      const first = await ended(shared.apply(strike)<never>(changeTo(1, expected), goOn));
      assert.ok(isStruck);
      assert.ok(first === 'killed' || first === 'unknown', first);
      assert.deepEqual(shared.problems(), []);
      assert.ok([expected, versionNumber(1)].includes(shared.current?.version ?? ''));
      assert.equal((await shared.apply(well)<never>(changeTo(1, expected), goOn)).kind, 'applied');
      assert.equal(shared.current?.version, versionNumber(1));
      assert.equal(shared.seen, versionNumber(1), 'every instance is told, also of what a killed one did');
      assert.deepEqual(shared.problems(), []);
      assert.equal(shared.current?.serial, 2, 'one change, however often it was sent');
    });

test('whatever publishers do at once and whatever strikes them, there is one whole version and losers are told', async () => {
  const fate = fc.constantFrom<Fate>(
    ...Array.from({ length: 24 }, () => 'well' as const),
    ...(['fails before', 'answer lost', 'killed before', 'killed after'] as const),
  );
  const fates = fc.array(fate, { minLength: 12, maxLength: 12 });
  const plan = fc.record({ fates, number: fc.integer({ min: 1, max: 4 }) });
  const publishers = fc.array(plan, { minLength: 2, maxLength: 4 });
  const waits = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 60, maxLength: 60 });
  const seen = { applied: 0, conflict: 0, killed: 0, unknown: 0 };
  const run = async (plans: { fates: Fate[]; number: number }[], pauses: number[]) => {
    const shared = await started();
    const from = shared.current?.version ?? '';
    let asked = 0;
    const results = await Promise.all(
      plans.map(({ fates: own, number }) => {
        let calls = 0;
        const next = async (): Promise<Fate> => {
          asked += 1;
          for (let turns = pauses[asked % pauses.length] ?? 0; turns > 0; turns -= 1) await Promise.resolve();
          calls += 1;
          return own[calls - 1] ?? 'well';
        };
        return ended(shared.apply(next)<never>(changeTo(number, from), goOn));
      }),
    );
    for (const result of results) if (result in seen) seen[result as keyof typeof seen] += 1;
    assert.deepEqual(shared.problems(), []);
    assert.ok((shared.current?.serial ?? 0) <= 2, 'one of them at most has changed what all had seen');
    const inForce = shared.current?.version ?? '';
    for (const [index, { number }] of plans.entries())
      if (results[index] === 'applied') {
        assert.equal(versionNumber(number), inForce, 'who is told that it is in force is told the truth');
        assert.equal(shared.seen, inForce, 'and every instance has been told of it');
      }
    // Whoever comes next heals what the killed ones left.
    assert.equal((await shared.apply(well)<never>(changeTo(5, inForce), goOn)).kind, 'applied');
    assert.equal(shared.seen, versionNumber(5));
    assert.deepEqual(shared.problems(), []);
  };
  await fc.assert(fc.asyncProperty(publishers, waits, run), { numRuns: 1_000 });
  for (const [result, times] of Object.entries(seen)) assert.ok(times > 50, `${result}: ${times} times`);
});

test('what does not parse or compile never comes into force, and nothing of it is kept', async () => {
  const shared = await started();
  const expected = shared.current?.version ?? '';
  const kept = shared.texts.size;
  const source = { ...(policyNumber(1) as object), tenants: [] };
  const answer = await shared.apply(well)<never>({ ...changeTo(1, expected), source }, goOn);
  assert.ok(answer.kind === 'invalid' && answer.problems.some((problem) => problem.startsWith('tenants')));
  assert.equal(shared.current?.version, expected);
  assert.equal(shared.texts.size, kept);
});

test('a member that a living older instance does not know is named, and the change is refused', async () => {
  const shared = await started();
  const expected = shared.current?.version ?? '';
  const [self] = shared.announced;
  const members = self?.members.filter((member) => !member.startsWith('grants.rate')) ?? [];
  shared.announced.push({ instance: 'older', members });
  assert.deepEqual(await shared.apply(well)<never>(changeTo(1, expected), goOn), {
    kind: 'unreadable',
    members: ['grants.rate', 'grants.rate.count', 'grants.rate.per'],
    instances: 1,
  });
  assert.equal(shared.current?.version, expected);
  shared.announced.pop();
  assert.equal((await shared.apply(well)<never>(changeTo(1, expected), goOn)).kind, 'applied');
});

test('who is stopped before the first write has changed nothing', async () => {
  const shared = await started();
  const before = [shared.texts.size, shared.writes, shared.bumps];
  const change = changeTo(1, shared.current?.version ?? '');
  assert.equal(await shared.apply(well)(change, async () => 'stop' as const), 'stop');
  assert.deepEqual([shared.texts.size, shared.writes, shared.bumps], before);
});
