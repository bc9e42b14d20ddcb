import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasRepeatedMember, parseStrictObject } from '../src/strict-json.ts';

const refused: readonly [string, string][] = [
  ['a member twice', '{"sub":"a","sub":"b"}'],
  ['a member twice, once escaped', '{"sub":"a","\\u0073ub":"b"}'],
  ['members that differ in case only', '{"tid":"a","TID":"b"}'],
  ['a member twice in an inner object', '{"a":[{"b":1,"b":2}]}'],
  ['a number beyond a double', '{"exp":1e400}'],
  ['a number beyond a double, inside', '{"a":{"b":[-1e400]}}'],
  ['an array', '[1]'],
  ['null', 'null'],
  ['a string', '"x"'],
  ['nothing', ''],
  ['a byte order mark', '\uFEFF{}'],
  ['a comment', '{}//'],
  ['two objects', '{}{}'],
  ['nesting without end', `{"a":${'['.repeat(9000)}${']'.repeat(9000)}}`],
];
for (const [what, text] of refused)
  test(`${what} is not accepted`, () => {
    assert.equal(parseStrictObject(text), 'unreadable');
  });

test('values are counted before anything is parsed: a token has room for 200 groups and not for thousands', (context) => {
  const groups = (count: number) => JSON.stringify({ groups: Array(count).fill('g'), exp: 1 });
  assert.notEqual(parseStrictObject(groups(900)), 'unreadable');
  const parse = context.mock.method(JSON, 'parse');
  assert.equal(parseStrictObject(groups(1_001)), 'unreadable');
  assert.equal(parseStrictObject(`{"a":${'{"a":'.repeat(40)}`), 'unreadable');
  assert.equal(parse.mock.callCount(), 0);
});

test('names alike in different objects, and names inside strings, are no repetition', () => {
  for (const text of [
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    '{"a":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a":"\\\\","b":"a"}',
    '{}',
  ])
    assert.deepEqual(parseStrictObject(text), JSON.parse(text));
});

test('whatever JSON.stringify writes of an object has no repeated member', () => {
  fc.assert(
    fc.property(fc.object({ maxDepth: 4 }), (value) => {
      const text = JSON.stringify(value);
      const folded = (inner: unknown): boolean =>
        typeof inner === 'object' &&
        inner !== null &&
        (Object.values(inner).some(folded) ||
          (!Array.isArray(inner) &&
            new Set(Object.keys(inner).map((name) => name.toLowerCase())).size < Object.keys(inner).length));
      assert.equal(hasRepeatedMember(text), folded(JSON.parse(text)));
    }),
  );
});
