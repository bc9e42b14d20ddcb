/** infra/workbook.json. That each of its queries finds something in what this code writes: test/flows/alerts.test.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { VIEW_NAMES } from '../../src/console/route.ts';
import { MAX_LINES } from '../../src/http/exchange-log.ts';
import { rowsOf } from '../flows/alert-rows.ts';
import { root } from '../local/started.ts';
import { exchangeLines } from './exchange-lines.ts';
import { kql } from './kql.ts';
import { neverWritten } from './log-events.ts';
import { readWorkbook, workbookQueries } from './workbook-shape.ts';

const [, tabs, ...views] = readWorkbook().items;

test('it has the views of the console, in their order, and one more for the parts that run', () => {
  const names = [...VIEW_NAMES, 'health'];
  assert.deepEqual(
    tabs.content.links.map(({ subTarget }) => subTarget),
    names,
  );
  assert.deepEqual(
    views.map(({ name }) => name),
    names,
  );
  for (const { name, conditionalVisibility } of views) assert.equal(conditionalVisibility.value, name);
});

test('no two items have the same name, and no two links or parameters the same id', () => {
  const text = JSON.stringify(readWorkbook());
  for (const member of ['id', 'title']) {
    const found = [...text.matchAll(new RegExp(`"${member}":"([^"]+)"`, 'g'))].map(([, value]) => value);
    assert.equal(new Set(found).size, found.length, member);
  }
  const names = workbookQueries().map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});

test('every view names tasks that the runbook has', () => {
  const page = readFileSync(join(root, 'infra/README.md'), 'utf8');
  for (const { name, content } of views) {
    const [, tasks] = /\n\nRunbook \(`infra\/README\.md`\): (.+)$/.exec(content.items[0].content.json) ?? [];
    const headings = [...(tasks ?? '').matchAll(/\*(.+?)\*/g)];
    assert.ok(headings.length > 0, name);
    for (const [, heading] of headings) assert.ok(page.includes(`\n### ${heading}\n`), `${name}: ${heading}`);
  }
});

test('every line that a query waits for is one that this code or the host writes', () => {
  for (const { name, query } of workbookQueries()) assert.deepEqual(neverWritten(query), [], name);
});

test('every query is of the app that was chosen, but for the web test, which is of none', () => {
  for (const { content } of views) {
    const [, ...queries] = content.items;
    for (const { name, content } of queries)
      if (name !== 'web-test')
        assert.match(
          content.query,
          /^(traces|exceptions)\n\| where '\*' in \(\{App\}\) or cloud_RoleName in \(\{App\}\)\n/,
        );
  }
});

test('every query is accepted in an environment that has logged nothing, and finds nothing', () => {
  const none = { traces: [], exceptions: [], availabilityResults: [] };
  for (const { query } of workbookQueries()) assert.deepEqual(kql(query, none, 0), []);
});

test('the share of good answers is counted for each place that asks', () => {
  // https://learn.microsoft.com/azure/azure-monitor/reference/tables/appavailabilityresults
  const run = (location: string, success: string) => ({ timestamp: 1, location, success });
  const { query } = workbookQueries().find(({ name }) => name === 'web-test') ?? assert.fail();
  const runs = [run('West Europe', '1'), run('West Europe', '0'), run('East US', '1')];
  assert.deepEqual(kql(query, { availabilityResults: runs }, 1), [
    { location: 'West Europe', runs: 2, percentGood: 50, lastSeen: 1 },
    { location: 'East US', runs: 1, percentGood: 100, lastSeen: 1 },
  ]);
});

test('objectives and outcomes count the exchanges that had no line of their own', async () => {
  const four = [
    ['granted', 20],
    ['granted', 30],
    ['refused', 5],
    ['unavailable', 8_000],
  ] as const;
  const lines = await exchangeLines('12:00:00', Array.from({ length: MAX_LINES }, () => four).flat());
  const nowMs = Date.parse('2026-11-27T12:00:00Z');
  const run = (wanted: string) => {
    const { query } = workbookQueries().find(({ name }) => name === wanted) ?? assert.fail();
    return kql(query, rowsOf(lines, nowMs), nowMs);
  };
  assert.deepEqual(run('objectives'), [
    { total: 4 * MAX_LINES, percentAnswered: 75, percentWithinASecond: 75 },
  ]);
  assert.deepEqual(run('outcomes'), [
    { timestamp: nowMs, granted: 2 * MAX_LINES, refused: MAX_LINES, unavailable: MAX_LINES },
  ]);
});
