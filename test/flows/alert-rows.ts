/** What the log of a local mode would be in Application Insights: the rows that the alerts' queries read. */
import type { Row, Tables } from '../infra/kql.ts';
import { kql } from '../infra/kql.ts';
import type { Stack } from './stack.ts';

export interface Alert {
  readonly name: string;
  readonly query: string;
  readonly window: string;
  readonly source: string;
}

const TIMERS_AND_QUEUES = ['rotate', 'reconcile', 'demands', 'events', 'close', 'probe'];

/** Lines have the time of the day alone; a time that goes back by more than a minute is of the next day. */
export function rowsOf(log: string, endMs: number): { traces: Row[]; requests: Row[]; exceptions: Row[] } {
  const lines = log.split('\n').flatMap((line) => {
    const [, time, message] = /^(\d\d:\d\d:\d\d) (.*)$/.exec(line) ?? [];
    if (time === undefined || message === undefined) return [];
    return [
      { ms: Date.parse(`1970-01-01T${time}Z`), message: message.replace(/^(rotator|instance-\d+) /, '') },
    ];
  });
  let day = 0;
  let before = 0;
  const dated = lines.map(({ ms, message }) => {
    if (ms < before - 60_000) day += 86_400_000;
    before = ms;
    return { at: day + ms, message };
  });
  // The last line was written just now.
  const shift = Math.round((endMs - (dated.at(-1)?.at ?? 0)) / 86_400_000) * 86_400_000;
  const traces = dated.map(({ at, message }) => ({ timestamp: at + shift, message }));
  const runs = traces.flatMap(({ timestamp, message }) => {
    const [, name = '', how] = /^Executed 'Functions\.(\w+)' \((Succeeded|Failed)/.exec(message) ?? [];
    if (how === undefined) return [];
    const isTimer = TIMERS_AND_QUEUES.includes(name);
    const resultCode = isTimer ? '0' : how === 'Succeeded' ? '200' : '500';
    return [{ timestamp, name, success: how === 'Succeeded' ? 'True' : 'False', resultCode }];
  });
  const exceptions = runs
    .filter(({ success }) => success === 'False')
    .map(({ timestamp }) => ({ timestamp }));
  return { traces, requests: runs, exceptions };
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
