/** Each mistake of mistakes.ts is refused or warned of, in words that say where it is and what to write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPolicy, PolicyError } from '../../src/policy/load.ts';
import { policyWarnings } from '../../src/policy/warnings.ts';
import { MISTAKES } from './mistakes.ts';

/** Words of the parser or of the code, and what only a regular expression has. */
const JARGON =
  /invalid|expected |received|unrecognized|discriminator|pattern|regex|too small|too big|undefined|\[a-z|\\d|\{\d|\^/i;

function judged(text: string): { by: 'refused' | 'warned'; messages: readonly string[] } {
  try {
    return { by: 'warned', messages: policyWarnings(loadPolicy(text)) };
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error));
    return { by: 'refused', messages: error.problems };
  }
}

for (const { what, text, by, says } of MISTAKES)
  test(`${what} is ${by}, and the message says where and what to write`, () => {
    const found = judged(text);
    const shown = found.messages.join('\n');
    assert.equal(found.by, by, shown);
    for (const words of says) assert.ok(shown.includes(words), `expected "${words}" in:\n${shown}`);
    assert.doesNotMatch(shown, JARGON);
  });

test('there are at least forty mistakes, and none is a policy that is right', () => {
  assert.ok(MISTAKES.length >= 40);
  for (const { what, text } of MISTAKES) assert.notEqual(judged(text).messages.length, 0, what);
});

test("an account's key that stands in the policy is never repeated in a message", () => {
  const keys = ['0123456789abcdef0123456789abcdef', 'A1b2'.repeat(21), 'c2VjcmV0IGtleSBvZiBhbiBhY2NvdW50=='];
  for (const key of keys) {
    const found = judged(
      (MISTAKES[0]?.text ?? '').replace('000001",', '000001"').replace('"speech-key"', `"${key}"`),
    );
    assert.equal(found.by, 'refused', key);
    assert.equal(found.messages.join().includes(key), false);
  }
});
