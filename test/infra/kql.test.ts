import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kql } from './kql.ts';
import type { Row } from './kql-values.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const minutesAgo = (minutes: number): number => NOW - minutes * 60_000;
const traces: readonly Row[] = [
  { timestamp: minutesAgo(1), message: 'demand id=one resource=speech' },
  { timestamp: minutesAgo(20), message: 'demand id=two resource=chat' },
  { timestamp: minutesAgo(2), message: 'demand_outcome id=two state=succeeded' },
  { timestamp: minutesAgo(3), message: 'rotation resource=speech why="secret overwritten"' },
];
const requests: readonly Row[] = [
  { timestamp: minutesAgo(4), name: 'rotate', success: 'True', resultCode: '0' },
];
const run = (query: string): readonly Row[] => kql(query, { traces, requests }, NOW);

const CASES: readonly (readonly [query: string, rows: number])[] = [
  ['traces | where message startswith "demand "', 2],
  ['traces | where message startswith "DEMAND " and timestamp < ago(10m)', 1],
  ['traces | where message has "speech"', 2],
  ['traces | where message has "spee"', 0],
  ['traces | where message contains "spee"', 2],
  ['traces | where message has "secret overwritten"', 1],
  ['traces | where message has_any ("overwritten", "nothing")', 1],
  ['traces | where message !has "id"', 1],
  ['traces | project id = extract(" id=([^ ]+)", 1, message) | where not(isempty(id))', 3],
  [
    'traces | where message startswith "demand " | project id = extract(" id=([^ ]+)", 1, message) | join kind=leftanti (traces | where message startswith "demand_outcome " | project id = extract(" id=([^ ]+)", 1, message)) on id',
    1,
  ],
  ['requests | where name =~ "ROTATE" and tobool(success) | summarize runs = count() | where runs == 0', 0],
  ['requests | where name == "other" | summarize runs = count() | where runs == 0', 1],
  ['union (requests | where toint(resultCode) >= 500), (traces | where message startswith "rotation ")', 1],
  ['traces | summarize times = count() by what = extract("^([a-z_]+)", 1, message) | where times >= 2', 1],
  ['traces | where toint(extract("n=([0-9]+)", 1, message)) > 0', 0],
];
const VALUES: readonly (readonly [query: string, rows: readonly Row[]])[] = [
  [
    'traces | extend why = trim(\'"\', extract(\' why=("[^"]*"|[^ ]+)\', 1, message)) | where isnotempty(why) | project why',
    [{ why: 'secret overwritten' }],
  ],
  [
    'traces | extend resource = extract(" resource=([^ ]+)", 1, message) | where isnotempty(resource) | summarize arg_max(timestamp, message) by resource | order by resource asc | project resource, timestamp',
    [
      { resource: 'chat', timestamp: minutesAgo(20) },
      { resource: 'speech', timestamp: minutesAgo(1) },
    ],
  ],
  ['traces | order by timestamp desc | take 1 | project timestamp', [{ timestamp: minutesAgo(1) }]],
  [
    'traces | extend age = (ago(0m) - timestamp) / 1m | summarize p50 = percentile(age, 50), p99 = percentile(age, 99)',
    [{ p50: 2, p99: 20 }],
  ],
];
for (const [query, rows] of VALUES) test(query, () => assert.deepEqual(run(query), rows));

for (const [query, rows] of CASES) test(query, () => assert.equal(run(query).length, rows));

for (const query of [
  'nothing',
  'traces | sample 1',
  'traces | order by timestamp',
  'traces | where unknown == 1',
  'traces | where message == "a" extra',
  'traces | where fun(message)',
])
  test(`refused, not guessed: ${query}`, () => assert.throws(() => run(query)));
