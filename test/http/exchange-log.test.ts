import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExchangeLog, MAX_LINES } from '../../src/http/exchange-log.ts';

function setUp() {
  const said: [string, Record<string, unknown>][] = [];
  const due: (() => void)[] = [];
  const clock = { ms: 0 };
  const told = createExchangeLog({
    log: (event, fields = {}) => said.push([event, fields]),
    nowMs: () => clock.ms,
    later: (_, work) => due.push(work),
  });
  const minute = (): void => {
    for (const work of due.splice(0)) work();
  };
  const lines = (): number => said.filter(([event]) => event === 'exchange').length;
  return { said, clock, told, minute, lines };
}

test('on a quiet instance each exchange has its line, and nothing is counted', () => {
  const { said, told, minute } = setUp();
  told('granted', 1.26, { resource: 'speech', correlation: 'a' });
  told('refused', 2, { reason: 'revoked', correlation: 'b' });
  minute();
  assert.deepEqual(said, [
    ['exchange', { outcome: 'granted', resource: 'speech', correlation: 'a', ms: 1.3 }],
    ['exchange', { outcome: 'refused', reason: 'revoked', correlation: 'b', ms: 2 }],
  ]);
});

test('a flood of exchanges writes as many lines as fit, and one line a minute counts the rest', () => {
  const { said, told, minute, lines } = setUp();
  for (let sent = 0; sent < 10_000; sent += 1) told(sent % 10 === 0 ? 'granted' : 'refused', 4, {});
  told('unavailable', 8_000, {});
  assert.equal(lines(), MAX_LINES);
  minute();
  assert.deepEqual(said.at(-1), [
    'exchanges',
    {
      granted: 994,
      refused: 8_946,
      unavailable: 1,
      slow: 1,
      unlogged: 10_001 - MAX_LINES,
      meanMs: 4.8,
      maxMs: 8_000,
    },
  ]);
});

test('after a flood a line a second fits again, and the next minute is counted anew', () => {
  const { said, clock, told, minute, lines } = setUp();
  for (let sent = 0; sent < 100; sent += 1) told('granted', 1, {});
  minute();
  clock.ms = 5_000;
  for (let sent = 0; sent < 10; sent += 1) told('granted', 1, {});
  assert.equal(lines(), MAX_LINES + 5);
  minute();
  assert.deepEqual(said.at(-1)?.[1], {
    granted: 5,
    refused: 0,
    unavailable: 0,
    slow: 0,
    unlogged: 5,
    meanMs: 1,
    maxMs: 1,
  });
});
