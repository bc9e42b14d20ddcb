import assert from 'node:assert/strict';
import test from 'node:test';
import { sparseLog } from '../../../src/local/host/sparse-log.ts';

test('a line that anybody can cause is logged once a second at most, with how many were left out', () => {
  const lines: string[] = [];
  let nowMs = 0;
  const log = sparseLog(
    (line) => lines.push(line),
    () => nowMs,
  );
  for (const at of [0, 1, 999, 1_000, 1_500, 3_000, 4_000]) {
    nowMs = at;
    log(`at ${at}`);
  }
  assert.deepEqual(lines, ['at 0', 'at 1000 (2 more before it)', 'at 3000 (1 more before it)', 'at 4000']);
});
