import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyPatch } from '../../src/policy/apply-patch.ts';

const document = { grants: [{ name: 'a' }, { name: 'b' }], 'a/b': 1, 'm~n': { deep: [1, 2, 3] } };
const done = (...patch: unknown[]): unknown => {
  const answer = applyPatch(document, patch);
  assert.ok(answer.kind === 'patched', JSON.stringify(answer));
  return answer.document;
};
const unfit = (...patch: unknown[]): string => {
  const answer = applyPatch(document, patch);
  assert.ok(answer.kind === 'unfit', JSON.stringify(answer));
  return answer.problems.join();
};

test('every operation of RFC 6902 changes the copy and leaves the document as it is', () => {
  const before = structuredClone(document);
  const with_ = (grants: unknown) => ({ ...document, grants });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name }));
  assert.deepEqual(done({ op: 'add', path: '/grants/1', value: c }), with_([a, c, b]));
  assert.deepEqual(done({ op: 'add', path: '/grants/-', value: c }), with_([a, b, c]));
  assert.deepEqual(done({ op: 'remove', path: '/grants/0' }), with_([b]));
  assert.deepEqual(done({ op: 'move', from: '/grants/0', path: '/grants/1' }), with_([b, a]));
  assert.deepEqual(done({ op: 'replace', path: '/a~1b', value: 2 }), { ...document, 'a/b': 2 });
  assert.deepEqual(done({ op: 'copy', from: '/m~0n/deep', path: '/deep' }), { ...document, deep: [1, 2, 3] });
  assert.deepEqual(done({ op: 'test', path: '/grants/0', value: a }), document);
  assert.deepEqual(done({ op: 'replace', path: '', value: { new: true } }), { new: true });
  assert.deepEqual(document, before);
});

test('what is not there, or is another value, is a problem with the number of its operation', () => {
  assert.match(unfit({ op: 'test', path: '/a~1b', value: 2 }), /patch\[0\]: .*another value/);
  const fine = { op: 'test', path: '/a~1b', value: 1 };
  for (const path of ['/grants/7', '/grants/01', '/nothing', '/a~1b/deep'])
    assert.match(unfit(fine, { op: 'remove', path }), /patch\[1\]: .* is not there/);
  assert.match(unfit({ op: 'add', path: '/grants/3', value: 1 }), /not there/);
  assert.match(unfit({ op: 'move', from: '/m~0n', path: '/m~0n/deep' }), /into itself/);
  for (const wrong of [{ op: 'add', path: '/x' }, { op: 'add', path: 'x', value: 1 }, { op: 'grow' }, 7])
    assert.match(unfit(wrong), /patch\[0/);
});

test('no patch reaches what all objects share', () => {
  for (const path of ['/__proto__/polluted', '/constructor/prototype/polluted', '/grants/__proto__/polluted'])
    unfit({ op: 'add', path, value: true });
  done({ op: 'add', path: '/__proto__', value: { polluted: true } });
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('any patch is a document or problems, never an error, and leaves the document as it is', () => {
  const path = fc.constantFrom(
    '',
    '/',
    '/grants',
    '/grants/0',
    '/grants/-',
    '/m~0n/deep/1',
    '/__proto__',
    '/x/y',
  );
  const value = fc.jsonValue();
  const operation = fc.oneof(
    fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path, value }),
    fc.record({ op: fc.constant('remove'), path }),
    fc.record({ op: fc.constantFrom('move', 'copy'), path, from: path }),
    fc.anything(),
  );
  const before = JSON.stringify(document);
  let patched = 0;
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 5 }), (patch) => {
      const { kind } = applyPatch(document, patch);
      assert.ok(kind === 'patched' || kind === 'unfit');
      if (kind === 'patched') patched += 1;
      assert.equal(JSON.stringify(document), before);
    }),
    { numRuns: 1_000 },
  );
  assert.ok(patched > 100);
});
