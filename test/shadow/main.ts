/**
 * `npm run shadow`: the whole test suite, twice, with every policy's negation in shadow. What is in shadow changes no
 * answer, so no test fails that passes without it; it exits with 1 where one does. Two things are no failure: a test
 * that compares a whole audit record, where only `shadow` has come to the record, and the tests of what is in shadow.
 */

import { run } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { readCommandLine } from '../../src/command-line.ts';

const usage = `npm run shadow -- [FILE…]

  FILE  test files (initially all)`;
const { positionals } = readCommandLine(usage, { allowPositionals: true, options: {} });

/** They put something in shadow themselves, and say what the record then has. */
const OF_SHADOW: readonly string[] = [
  'an explanation has the outcome and the reason of the exchange, and each change that it proposes flips it',
  'what is in shadow grants and denies nobody, and the same policy with it in force is known',
];

for (const half of ['denies', 'grants']) {
  process.env['NODE_OPTIONS'] = `--import=${new URL(`./register.ts?${half}`, import.meta.url).href}`;
  const counts = { passed: 0, recordsOnly: 0, ofShadow: 0, failed: 0 };
  const events = run({
    ...(positionals.length > 0 ? { files: positionals } : { globPatterns: ['test/**/*.test.ts'] }),
    concurrency: 4,
  });
  for await (const { type, data } of events) {
    if (type === 'test:pass' && data.skip === undefined) counts.passed += 1;
    if (type !== 'test:fail') continue;
    const { error } = data.details;
    const { cause, failureType } = error as Error & { readonly failureType?: string };
    if (failureType === 'subtestsFailed') continue;
    if (OF_SHADOW.includes(data.name)) counts.ofShadow += 1;
    else if (differsByShadowOnly(cause)) counts.recordsOnly += 1;
    else {
      counts.failed += 1;
      process.stdout.write(
        `${half}: ${data.file}: ${data.name}\n${cause instanceof Error ? cause.message : cause}\n`,
      );
    }
  }
  process.stdout.write(
    `${half}: ${counts.passed} passed, ${counts.recordsOnly} differ in the record's "shadow" only, ${counts.ofShadow} are about shadow, ${counts.failed} failed\n`,
  );
  if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
}

/** Whether a comparison failed, and would not have without `shadow` in what was found. */
function differsByShadowOnly(cause: unknown): boolean {
  if (!(cause instanceof Error) || !('actual' in cause) || !('expected' in cause)) return false;
  return isDeepStrictEqual(withoutShadow(cause.actual), cause.expected);
}

function withoutShadow(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutShadow);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name]) => name !== 'shadow');
  return Object.fromEntries(members.map(([name, member]) => [name, withoutShadow(member)]));
}
