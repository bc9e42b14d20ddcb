import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { faultText, jsonFault } from '../../src/policy/json-fault.ts';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

test('a fault is found where JSON.parse finds one, and nowhere else, but for members that are there twice', () => {
  const piece = fc.constantFrom(
    ...'{}[],:"\\ \n\t-+.eE01',
    'true',
    'null',
    '"a"',
    '"b":',
    '"\\u00e9"',
    '\u0001',
    '\uFEFF',
    "'",
    '//',
  );
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.nat(3),
      fc.array(piece, { maxLength: 4 }),
      (json, at, taken, put) => {
        const from = at % (json.length + 1);
        const text = `${json.slice(0, from)}${put.join('')}${json.slice(from + taken)}`;
        const fault = jsonFault(text);
        if (fault === undefined) assert.ok(isJson(text), JSON.stringify(text));
        else if (!fault.what.endsWith('twice'))
          assert.ok(!isJson(text), `${fault.what}: ${JSON.stringify(text)}`);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('the message has the line, the column and the text around it, in one line', () => {
  const text = '{\n  "tenants": [],\n  "grants": [1,, 2]\n}';
  const fault = jsonFault(text);
  assert.ok(fault);
  assert.equal(
    faultText(text, fault),
    'line 3, column 16: a value is wanted here: a text in double quotes, a number, true, false, null, { or [; near "tenants": [], "grants": [1, --> , 2] }',
  );
});

for (const [what, text, says] of [
  ['a byte order mark', '\uFEFF{}', /byte order mark/],
  ['a text over two lines', '{"a": "b\nc"}', /closing quote/],
  ['typographic quotes', '{“a”: 1}', /double quotes/],
  ['a member twice in another case', '{"a": 1, "A": 2}', /"A" is a member of this object twice/],
  ['something after the end', '{} {}', /should end here/],
  ['an empty file', '', /the file is empty/],
  ['more levels than any policy has', '['.repeat(100_000), /nested too deeply/],
] as const)
  test(`${what} is said in words`, () => {
    assert.match(jsonFault(text)?.what ?? '', says);
  });
