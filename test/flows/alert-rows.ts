/**
 * What the log of a local mode would be in Application Insights: the rows that the queries of the alerts and of the
 * workbook read. They have only the tables and columns that a Functions host fills alike with and without
 * `"telemetryMode": "OpenTelemetry"` in its host.json, so that a query that reads anything else is refused here:
 * of `requests` the names of functions and the runs of timers differ, and in all tables `customDimensions` do.
 */
import { kql } from '../infra/kql.ts';
import type { Row, Tables } from '../infra/kql-values.ts';
import type { Stack } from './stack.ts';

export interface Alert {
  readonly name: string;
  readonly query: string;
  readonly window: string;
  readonly source: string;
}

/** Lines have the time of the day alone; a time that goes back by more than a minute is of the next day. */
export function rowsOf(log: string, endMs: number): { traces: Row[]; exceptions: Row[] } {
  let day = 0;
  let before = 0;
  const lines = log.split('\n').flatMap((line) => {
    const [, time, message] = /^(\d\d:\d\d:\d\d) (.*)$/.exec(line) ?? [];
    if (time === undefined || message === undefined) return [];
    const ms = Date.parse(`1970-01-01T${time}Z`);
    if (ms < before - 60_000) day += 86_400_000;
    before = ms;
    return [{ at: day + ms, message }];
  });
  // The last line was written just now.
  const shift = Math.round((endMs - (lines.at(-1)?.at ?? 0)) / 86_400_000) * 86_400_000;
  const traces: Row[] = [];
  const exceptions: Row[] = [];
  for (const { at, message: whole } of lines) {
    const message = whole.replace(/^(rotator|instance-\d+) /, '');
    const row = {
      timestamp: at + shift,
      cloud_RoleName: whole.startsWith('rotator ') ? 'rotator' : 'issuer',
    };
    const [, failed] = /^Executed 'Functions\.(\w+)' \(Failed/.exec(message) ?? [];
    if (failed === undefined) traces.push({ ...row, message });
    // The host logs a run that failed with its exception, and such a line is a row of `exceptions` alone.
    else
      exceptions.push({
        ...row,
        severityLevel: 3,
        outerMessage: `Exception while executing function: Functions.${failed}`,
      });
  }
  return { traces, exceptions };
}

const SPAN_MS: Readonly<Record<string, number>> = {
  PT30M: 30 * 60_000,
  PT1H: 3_600_000,
  PT6H: 6 * 3_600_000,
  P1D: 86_400_000,
};

/** Whether Azure would raise it now: its query has a row, over the rows of its window. */
export function isRaised({ query, window, name }: Alert, tables: Tables, nowMs: number): boolean {
  const spanMs = SPAN_MS[window];
  if (spanMs === undefined) throw new Error(`${name}: no window ${window}`);
  const within = Object.fromEntries(
    Object.entries(tables).map(([table, rows]) => [
      table,
      rows.filter(({ timestamp }) => Number(timestamp) > nowMs - spanMs && Number(timestamp) <= nowMs),
    ]),
  );
  return kql(query, within, nowMs).length > 0;
}

/** The tables as they are now, with what Azure itself logs of the vault. */
export async function tablesOf(stack: Stack): Promise<{ tables: Tables; nowMs: number }> {
  const { now } = await stack.control('GET', '/clock');
  const nowMs = Date.parse(String(now));
  const vault: Row[] = [];
  for (let after = 0; ; ) {
    const page = (await stack.control('GET', `/requests?service=keyvault&after=${after}`)) as unknown as {
      requests: { at: string; operation: string; by: string | null; status: number }[];
      last: number;
    };
    for (const { at, operation, by, status } of page.requests)
      vault.push({
        timestamp: Date.parse(at),
        ResourceProvider: 'MICROSOFT.KEYVAULT',
        OperationName: `${operation.slice(0, 1).toUpperCase()}${operation.slice(1)}`.replace(
          'GetSecret',
          'SecretGet',
        ),
        httpStatusCode_d: status,
        identity_claim_appid_g: by,
      });
    if (page.requests.length === 0 || page.last === after) break;
    after = page.last;
  }
  return { tables: { ...rowsOf(stack.log(), nowMs), AzureDiagnostics: vault, _LogOperation: [] }, nowMs };
}
