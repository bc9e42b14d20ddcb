import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { MAX_SCHEDULES, MUTATIONS } from './mutations.ts';
import { simulate } from './simulate.ts';

/**
 * All of them take a minute of processor time and more, so that a run of the whole suite tries some, other ones each
 * day. `MUTATIONS=all node --test test/simulation/mutations.test.ts` tries all.
 */
const EVERY = 10;
const today = Math.floor(Date.now() / 86_400_000);
const isTried = (_: unknown, index: number): boolean =>
  process.env['MUTATIONS'] === 'all' || index % EVERY === today % EVERY;

/** @returns the exit code, and what the test file of a mutated source said */
function testMutated(name: string, file: string): Promise<{ code: unknown; said: string }> {
  // Without the variable of the test runner that runs this file, its own test reports as usual.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const hook = ['--import', './test/simulation/mutated.ts', file];
  return new Promise((resolve) => {
    execFile(process.execPath, hook, { env: { ...env, MUTATION: name } }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, said: stdout + stderr }),
    );
  });
}

// Each is a process of its own, and two at once keep two cores busy.
describe('a machine that is broken on purpose', { concurrency: 2 }, () => {
  for (const [name, { caughtBy }] of Object.entries(MUTATIONS).filter(isTried)) {
    test(`the mutation ${name} is caught by ${caughtBy ?? 'the simulation'}`, async (context) => {
      if (caughtBy === undefined) {
        // In one part, so that the first violation ends it: a second part would go on until it finds its own.
        const options = [
          '--mutate',
          name,
          '--runs',
          String(MAX_SCHEDULES),
          '--violations',
          '1',
          '--part',
          '0/1',
        ];
        const { code, last } = await simulate(...options);
        const [violation] = last.violations;
        assert.ok(violation !== undefined, `not caught in ${last.runs} schedules`);
        assert.equal(code, 1);
        context.diagnostic(`seed ${violation.seed}: ${violation.invariant}`);
        return;
      }
      const { code, said } = await testMutated(name, caughtBy);
      const [failed] = /^(?:\s*✖|not ok).*$/m.exec(said) ?? [];
      assert.equal(code, 1, `${caughtBy} passes`);
      assert.ok(failed !== undefined, said);
      context.diagnostic(failed.trim());
    });
  }
});
