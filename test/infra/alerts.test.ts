/** The log alerts as whoever is woken by them sees them. That each is raised by its fault: test/flows/alerts.test.ts. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { MAX_LINES, type Outcome } from '../../src/http/exchange-log.ts';
import { createLog } from '../../src/log.ts';
import { isRaised, rowsOf } from '../flows/alert-rows.ts';
import { root } from '../local/started.ts';
import { bicepFile, declarations } from './bicep-syntax.ts';
import { exchangeLines } from './exchange-lines.ts';
import type { Row, Tables } from './kql-values.ts';
import { neverWritten } from './log-events.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const alerts = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[a-z-]+$/),
      severity: z.int().min(1).max(2),
      description: z.string(),
      // Of what Azure allows: none is longer than two days.
      window: z.enum(['PT30M', 'PT1H', 'PT6H', 'P1D']),
      resolves: z.boolean(),
      query: z.string().transform((query) => query.replace('READERS', '"issuer", "rotator"')),
      source: z.enum(['component', 'workspace']),
    }),
  )
  .parse(JSON.parse(read('infra/alerts.json')));

const rule = (type: string, name: string): string =>
  declarations(bicepFile('alerts.bicep'), 'resource').find(
    (found) => found.name === name && found.refersTo.startsWith(`Microsoft.Insights/${type}@`),
  )?.node.text ?? assert.fail(name);

const NOW = Date.parse('2026-11-27T12:00:00Z');
const minutesAgo = (minutes: number): number => NOW - minutes * 60_000;
const none = { traces: [], exceptions: [], AzureDiagnostics: [], _LogOperation: [] };
const raised = (tables: Tables): string[] =>
  alerts.filter((alert) => isRaised(alert, { ...none, ...tables }, NOW)).map(({ name }) => name);

test('nothing is raised in an environment that has logged nothing', () => assert.deepEqual(raised({}), []));

test('an environment whose rotator has not run yet is left alone for half an hour', () => {
  const since = (minutes: number): Row[] =>
    Array.from({ length: minutes }, (_, ago) => ({
      timestamp: minutesAgo(ago),
      cloud_RoleName: 'issuer',
      message: "Executed 'Functions.health' (Succeeded, Id=1, Duration=4ms)",
    }));
  assert.deepEqual(raised({ traces: since(30) }), []);
  assert.deepEqual(raised({ traces: since(40) }), ['rotation-silent', 'reconcile-silent', 'record-silent']);
});

test('the cap of the day is recognized by the row that Azure documents, and by no other of its kind', () => {
  // https://learn.microsoft.com/azure/azure-monitor/logs/daily-cap and .../logs/monitor-workspace
  const row = (Category: string, Detail: string): Row => ({ timestamp: minutesAgo(3), Category, Detail });
  const reached =
    'Data collection stopped due to daily limit of free data reached. Ingestion status = OverQuota';
  assert.deepEqual(raised({ _LogOperation: [row('Ingestion', reached)] }), ['log-cap']);
  for (const other of [
    row('Ingestion', 'Ingestion status = ApproachingQuota'),
    row('Ingestion', 'The data ingestion rate has crossed 80% of the threshold.'),
    row('Data Export', reached),
  ])
    assert.deepEqual(raised({ _LogOperation: [other] }), []);
});

test('exchanges without a line of their own count, on a busy instance, as much as the others', async () => {
  const good = Array.from({ length: MAX_LINES }, () => ['granted', 20] as const);
  const busy = async (outcome: Outcome, tookMs: number, times: number): Promise<string[]> => {
    const others = Array.from({ length: times }, () => [outcome, tookMs] as const);
    return raised(rowsOf(await exchangeLines('11:58:00', [...good, ...others]), NOW));
  };
  assert.deepEqual(await busy('granted', 20, 500), []);
  assert.deepEqual(await busy('unavailable', 20, 20), ['exchange-failing']);
  assert.deepEqual(await busy('granted', 1_500, 20), ['exchange-slow']);
  assert.deepEqual(await busy('refused', 20, 60), ['refusals-jump']);
  // So few wake nobody, whatever their share is.
  assert.deepEqual(await busy('unavailable', 20, 3), []);
});

test('a slow burn is told of while it lasts, and not when it is over', async () => {
  // Some 0.8 % of the exchanges of six hours fail, or 8 % are slow: six times what the objectives allow, not 14 times.
  const tenMinutes = async (
    minutes: number,
    bad: readonly [Outcome, number],
    times: number,
  ): Promise<string> => {
    const all = Array.from({ length: 500 }, (_, index) => (index < times ? bad : (['granted', 20] as const)));
    return exchangeLines(new Date(minutesAgo(minutes)).toISOString().slice(11, 19), all);
  };
  const burn = async (until: number, bad: readonly [Outcome, number], times: number): Promise<string[]> => {
    const ends = Array.from({ length: 35 }, (_, index) => 351 - 10 * index);
    const lines = ends.map((end) => tenMinutes(end, bad, end > until ? times : 0));
    const names = raised(rowsOf((await Promise.all(lines)).join(''), NOW));
    // There is no rotator in these lines.
    return names.filter((name) => name.startsWith('exchange-'));
  };
  assert.deepEqual(await burn(0, ['unavailable', 20], 4), ['exchange-failing']);
  assert.deepEqual(await burn(40, ['unavailable', 20], 4), []);
  assert.deepEqual(await burn(0, ['granted', 1_500], 40), ['exchange-slow']);
  assert.deepEqual(await burn(40, ['granted', 1_500], 40), []);
  assert.deepEqual(await burn(0, ['unavailable', 20], 1), []);
});

test('an audit that is closed more slowly than it grows is told of when half an hour did not bring it back', async () => {
  const behind = async (minutes: readonly number[]): Promise<string[]> => {
    const texts = await Promise.all(
      minutes.map(
        (count) =>
          new Promise<string>((resolve) =>
            createLog(resolve)('record_closed', { closed: 5, removed: 0, behind: count }),
          ),
      ),
    );
    const log = texts
      .map(
        (text, index) =>
          `${new Date(minutesAgo(minutes.length - index)).toISOString().slice(11, 19)} rotator ${text}`,
      )
      .join('');
    const alive = "12:00:00 rotator Executed 'Functions.close' (Succeeded)";
    return raised(rowsOf(`${log}${alive}`, NOW)).filter((name) => name === 'record-behind');
  };
  assert.deepEqual(await behind(Array.from({ length: 29 }, (_, at) => 40 + at)), ['record-behind']);
  assert.deepEqual(await behind(Array.from({ length: 29 }, (_, at) => 300 - 10 * at)), []);
  assert.deepEqual(await behind([900, 500, 100]), []);
});

test('each alert ends with the heading of the runbook that says what to do, and is named below it', () => {
  const page = read('infra/README.md');
  const bicep = [...read('infra/alerts.bicep').matchAll(/^ +description: '(.+)'$/gm)];
  assert.equal(bicep.length, 2);
  const all = [...alerts, ...bicep.map(([, description = '']) => ({ name: 'health', description }))];
  for (const { name, description } of all) {
    const [, heading] = / Runbook: (.+?)\.?$/.exec(description) ?? [];
    const [, section] = page.split(`\n### ${heading}\n`);
    assert.ok(section !== undefined, `${name}: no heading ${heading}`);
    if (heading === 'The other alerts') assert.ok(section.split('\n### ')[0]?.includes(`\`${name}\``), name);
  }
});

test('the rules over metrics ask for what Azure documents', () => {
  // https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-eventgrid-topics-metrics, and
  // the same of .../microsoft-eventgrid-systemtopics-metrics: a count of each minute, added up.
  const [deadLetters, healthAlert] = ['deadLetterAlerts', 'healthAlert'].map((name) =>
    rule('metricAlerts', name),
  );
  const [criterion = ''] = /{[^{}]*metricName[^{}]*}/.exec(deadLetters ?? '') ?? [];
  assert.match(
    criterion,
    /metricName: 'DeadLetteredCount'\s+timeAggregation: 'Total'\s+operator: 'GreaterThan'\s+threshold: 0/,
  );
  // Windows that touch: no minute is passed over.
  const [, every, over] = /evaluationFrequency: '(\w+)'\s+windowSize: '(\w+)'/.exec(deadLetters ?? '') ?? [];
  assert.equal(every, over);

  // https://learn.microsoft.com/samples/azure/azure-quickstart-templates/dynamic-web-tests/ lists the places.
  const places = [
    'us-va-ash-azr',
    'us-il-ch1-azr',
    'us-ca-sjc-azr',
    'us-tx-sn1-azr',
    'emea-nl-ams-azr',
    'emea-gb-db3-azr',
    'apac-sg-sin-azr',
    'apac-hk-hkn-azr',
  ];
  const webTest = rule('webtests', 'healthTest');
  const asked = [...webTest.matchAll(/\{ Id: '([\w-]+)' \}/g)].map(([, id = '']) => id);
  assert.ok(asked.length >= 3 && asked.every((id) => places.includes(id)), `${asked}`);
  const number = (name: string, text = ''): number =>
    Number(new RegExp(`\\b${name}: (\\d+)`).exec(text)?.[1]);
  const failed = number('failedLocationCount', healthAlert);
  assert.ok(failed > 1 && failed < asked.length, 'one place alone wakes nobody');
  assert.ok([300, 600, 900].includes(number('Frequency', webTest)));
  // Each place has asked once within the window.
  assert.match(healthAlert ?? '', /windowSize: 'PT5M'/);
  assert.equal(number('Frequency', webTest), 300);
  // The rule needs both of them as its scopes, and the portal finds the test by the tag.
  assert.match(healthAlert ?? '', /scopes: \[\s+healthTest\.id\s+componentId\s+\]/);
  assert.match(webTest, /'hidden-link:\$\{componentId\}': 'Resource'/);
});

test('the page on cost counts the rules that there are', () => {
  // Of a rule over metrics there is one for /health and one for each of three topics.
  assert.ok(read('infra/README.md').includes(`| alerts (${alerts.length} on logs, 4 on metrics) |`));
});

test('what has happened is told of once; what lasts is taken back by Azure when it is over', () => {
  const bicep = read('infra/alerts.bicep');
  // Azure refuses a rule that does both.
  assert.match(
    bicep,
    /autoMitigate: alert\.resolves\n +muteActionsDuration: alert\.resolves \? null : alert\.window\n/,
  );
  const once = alerts.filter(({ resolves }) => !resolves);
  // A row of now is in the window for as long as Azure is told to be silent about it.
  for (const { name, window } of once) assert.equal(window, 'PT30M', name);
  for (const { name } of alerts.filter(({ name }) => /-silent$|^exchange-|overdue|waiting/.test(name)))
    assert.ok(!once.some((one) => one.name === name), name);
});

test('every line that an alert waits for is one that this code or the host writes', () => {
  for (const { name, query } of alerts) assert.deepEqual(neverWritten(query), [], name);
  assert.deepEqual(neverWritten('traces | where message startswith "rotaton "'), ['rotaton ']);
});

test('the apps leave it to the host to export what they log, also where its telemetry is OpenTelemetry', () => {
  // A worker with this capability exports by itself; a host in that mode then drops its lines of a function's runs.
  for (const folder of ['src', 'functions'])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }))
      if (/\.(ts|json)$/.test(name))
        assert.doesNotMatch(read(join(folder, name)), /WorkerOpenTelemetryEnabled/, name);
  assert.doesNotMatch(read('package.json'), /functions-opentelemetry-instrumentation/);
});
