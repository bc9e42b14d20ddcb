import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liveCases } from './live-cases.ts';

/** The cheapest of the cases; the command runs all. */
test("a block that was lifted stays lifted when its event comes again after 31 hours and after 29 days, and no caller's exchange fails", async () => {
  const [report] = await liveCases(["a lifted block's event comes again"], 1);
  assert.deepEqual([report?.failures, report?.failed], [[], 0]);
  assert.ok((report?.refused ?? 0) > 0 && (report?.exchanges ?? 0) > 0);
});
