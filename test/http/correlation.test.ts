import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correlationId, madeAtMs } from '../../src/http/correlation.ts';

const NOW_MS = Date.UTC(2026, 10, 26, 12);
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const idOf = (traceparent?: string): string =>
  correlationId(new Headers(traceparent === undefined ? {} : { traceparent }), NOW_MS);

test('the trace id of the caller goes through all systems', () => {
  assert.equal(idOf(`00-${TRACE}-b7ad6b7169203331-01`), TRACE);
});

test('without a valid traceparent there is a new id every time', () => {
  const invalid = [
    undefined,
    '',
    TRACE,
    `00-${TRACE}-b7ad6b7169203331`,
    `00-${TRACE.toUpperCase()}-b7ad6b7169203331-01`,
    `ff-${TRACE}-b7ad6b7169203331-01`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-b7ad6b7169203331-01,00-${TRACE}-b7ad6b7169203331-01`,
    `00-${TRACE}-b7ad6b7169203331-01"`,
  ];
  const ids = invalid.map(idOf);
  for (const [index, id] of ids.entries()) {
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.notEqual(id, TRACE, invalid[index]);
  }
  assert.equal(new Set(ids).size, ids.length);
});

test('an id that the broker makes carries its time; one that came from outside carries none', () => {
  assert.match(idOf(), /^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  assert.equal(madeAtMs(idOf(), NOW_MS), NOW_MS);
  for (const id of [
    TRACE,
    '',
    'x',
    `${'0'.repeat(12)}7000a${'0'.repeat(15)}`,
    `${'f'.repeat(12)}7000a${'0'.repeat(15)}`,
  ])
    assert.equal(madeAtMs(id, NOW_MS), undefined, id);
});
