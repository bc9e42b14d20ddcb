/**
 * Each alert of infra/alerts.json over the lines that this code really wrote: quiet without its fault, raised by it. All
 * these faults together are also what the queries of the workbook find something in.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createTables } from '../../src/azure/tables.ts';
import { kql } from '../infra/kql.ts';
import { workbookQueries } from '../infra/workbook-shape.ts';
import { tablesOf } from './alert-rows.ts';
import { alertsOf, quietHours, raised } from './alerts.ts';
import { processesOf } from './processes.ts';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;
const tried = new Set<string>();
before(async () => {
  stack = await startStack();
  await stack.warm();
  await ticks(1);
});
after(() => stack[Symbol.asyncDispose]());

const pass = (advanceSeconds: number) => stack.control('POST', '/clock', { advanceSeconds });
const fault = (service: string, body: object) => stack.control('PUT', `/faults/${service}`, body);
const noFaults = () => stack.control('DELETE', '/faults');
const ended = (): number => stack.log().match(/Executed 'Functions\.rotate' \(/g)?.length ?? 0;
async function eventually(isSo: () => unknown, what: string): Promise<void> {
  for (let left = 400; left > 0; left -= 1) {
    if (await isSo()) return;
    await wait(50);
  }
  assert.fail(`never: ${what}\n${stack.log().slice(-3000)}`);
}
/** So many runs of the rotation timer. */
async function ticks(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    const runs = ended();
    await pass(300);
    await eventually(() => ended() > runs, 'a tick');
  }
}
async function exchanges(count: number, who: string, target: string): Promise<void> {
  const token = await stack.callerToken(who);
  await Promise.all(Array.from({ length: count }, () => stack.exchange(token, target)));
}
const operator = async (path: string, body: object): Promise<Response> =>
  fetch(`${stack.description.broker}/operator/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await stack.callerToken('operator')}` },
    body: JSON.stringify(body),
  });

/**
 * @param names of the alerts that this fault must raise
 * @param calmSeconds first, so that what came before is not in the window any more
 */
function raisedBy(
  names: readonly string[],
  calmSeconds: number,
  bringAbout: () => Promise<unknown>,
  putRight: () => Promise<unknown> = noFaults,
): void {
  for (const name of names) tried.add(name);
  test(`quiet before its fault, and raised by it: ${names.join(', ')}`, async () => {
    let before = await raised(stack);
    // What was under way when the fault before ended may still fail after it.
    for (
      let left = 3;
      left > 0 && calmSeconds > 0 && names.some((name) => before.includes(name));
      left -= 1
    ) {
      await pass(calmSeconds);
      await ticks(1);
      before = await raised(stack);
    }
    for (const name of names) assert.ok(!before.includes(name), `${name} is raised before its fault`);
    try {
      await bringAbout();
      await eventually(
        async () => {
          const now = await raised(stack);
          return names.every((name) => now.includes(name));
        },
        `raised: ${names.join(', ')}`,
      );
    } finally {
      await putRight();
    }
  });
}

test('nothing is raised where nothing is wrong', async () => {
  assert.deepEqual(await raised(stack), []);
});
// The log has a line for each exchange for some sixty at once, so this one is first.
raisedBy(['refusals-jump'], 0, () => exchanges(52, 'captions', 'chat'));
raisedBy(['vault-foreign'], 0, async () => {
  const token = await stack.callerToken('operator', 'https://vault.azure.net/.default');
  const read = await fetch(`${stack.description.keyVault}/secrets/translator-key?api-version=7.4`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(read.status, 200);
});
raisedBy(['drift'], 0, async () => {
  for (const keyName of ['Key1', 'Key2'])
    await stack.control('POST', '/accounts/translator/regenerate', { keyName });
  await ticks(1);
});
raisedBy(['events-poison'], 0, async () => {
  await fetch(`${stack.description.broker}/runtime/webhooks/eventgrid?functionName=react`, {
    method: 'POST',
    headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json' },
    body: JSON.stringify([
      {
        id: 'odd',
        eventType: 'AzureAiTokenBroker.RevocationRequested',
        subject: '',
        topic: '',
        eventTime: new Date().toISOString(),
        dataVersion: '1',
        data: { scope: { kind: 'planet' }, reason: 'odd' },
      },
    ]),
  });
});
raisedBy(['queue-poison'], 0, async () => {
  const {
    IDENTITY_ENDPOINT,
    IDENTITY_HEADER = '',
    BROKER_ISSUER_IDENTITY,
    BROKER_QUEUES_URL,
  } = stack.description.environment.issuer as Record<string, string>;
  const asked = new URLSearchParams({
    resource: 'https://storage.azure.com/',
    'api-version': '2019-08-01',
    client_id: BROKER_ISSUER_IDENTITY ?? '',
  });
  const token = await fetch(`${IDENTITY_ENDPOINT}?${asked}`, {
    headers: { 'x-identity-header': IDENTITY_HEADER },
  });
  const { access_token } = (await token.json()) as { access_token: string };
  // No text that the extension takes: it goes to the poison queue at once.
  const put = await fetch(`${BROKER_QUEUES_URL}/demands/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${access_token}`, 'x-ms-version': '2024-11-04' },
    body: '<QueueMessage><MessageText>{</MessageText></QueueMessage>',
  });
  assert.equal(put.status, 201);
});
raisedBy(['record-odd'], 0, async () => {
  const { now } = await stack.control('GET', '/clock');
  const second = String(now).slice(0, 'YYYY-MM-DDThh:mm:ss'.length);
  const tables = createTables(stack.description.tables, { getToken: () => assert.fail('on loopback') });
  await (await tables('audit')).createEntity({
    partitionKey: second,
    rowKey: `${second}.000Z-odd`,
    count: 1,
    resources: '',
    records0: 'none of ours',
  });
  // Until its minute is settled, and the timer of every minute has come.
  await ticks(2);
});
raisedBy(['directory-cursor'], 0, async () => {
  await fault('graph', { mode: 'status', status: 410 });
  await ticks(1);
});
raisedBy(['rotation-unreachable'], 0, async () => {
  await fault('arm', { mode: 'down' });
  await ticks(3);
});
raisedBy(['exchange-slow'], 0, async () => {
  await fault('tables', { mode: 'slow', delayMs: 1_500 });
  await exchanges(12, 'captions', 'speech');
});
raisedBy(['revocation-slow'], 0, async () => {
  await fault('tables', { mode: 'slow', delayMs: 2_500 });
  const { objectId, tenantId } =
    stack.description.callers.find(({ name }) => name === 'ada') ?? assert.fail();
  await operator('revocations', { scope: { kind: 'user', tenantId, objectId }, reason: 'slow' });
});
raisedBy(['exchange-failing'], 6.1 * 3_600, async () => {
  await fault('tables', { mode: 'down' });
  await exchanges(10, 'captions', 'speech');
});
raisedBy(['tables-throttled'], 0, async () => {
  await fault('tables', { mode: 'status', status: 503 });
  await exchanges(8, 'captions', 'speech');
});
raisedBy(['server-errors'], 1_900, async () => {
  await fault('tables', { mode: 'down' });
  await pass(300);
});
const stopped = async (): Promise<void> => processesOf(stack).pause('rotator');
const goesOn = async (): Promise<void> => processesOf(stack).goOn('rotator');
raisedBy(
  ['demand-waiting'],
  0,
  async () => {
    await stopped();
    assert.equal((await operator('accounts/speech/rotate', { reason: 'a test' })).status, 202);
    await pass(660);
    await exchanges(1, 'captions', 'speech');
  },
  goesOn,
);
raisedBy(
  ['rotation-silent', 'reconcile-silent', 'record-silent'],
  3_700,
  async () => {
    await ticks(1);
    await stopped();
    await pass(1_860);
    await exchanges(1, 'captions', 'speech');
  },
  goesOn,
);
raisedBy(['rotation-overdue'], 0, async () => {
  for (const name of ['speech', 'chat', 'translator'])
    await operator(`accounts/${name}/pause`, { reason: 'a test' });
  await operator('accounts/speech/resume', { reason: 'a test' });
  await fault('arm', { mode: 'down' });
  await pass(86_400);
  await ticks(1);
});

test('every alert over the log of the apps is tried', () => {
  // Azure itself says that the cap is reached, and to be behind for half an hour takes longer than a test may:
  // test/infra/alerts.test.ts.
  const others = ['log-cap', 'record-behind'];
  assert.deepEqual(
    [...tried, ...others].sort(),
    alertsOf(stack)
      .map(({ name }) => name)
      .sort(),
  );
});

test('each query of the workbook finds rows in these lines, and a value for each of its columns', async () => {
  const { tables, nowMs } = await tablesOf(stack);
  // What the web test of /health writes: the names are Azure's, the row was made for this test.
  // https://learn.microsoft.com/azure/azure-monitor/reference/tables/appavailabilityresults
  const availabilityResults = [
    { timestamp: nowMs, name: 'broker-health', location: 'West Europe', success: '1', message: 'Passed' },
  ];
  for (const { name, query } of workbookQueries()) {
    const rows = kql(query, { ...tables, availabilityResults }, nowMs);
    assert.ok(rows.length > 0, `${name}: no rows`);
    for (const column of Object.keys(rows[0] ?? {}))
      assert.ok(
        rows.some((row) => (row[column] ?? '') !== ''),
        `${name}: ${column} is empty`,
      );
  }
});

test('two quiet hours with rotations raise nothing', async () => {
  const { raised: found, exchanges: granted, rotations } = await quietHours(2, 300);
  assert.deepEqual([...found], []);
  assert.ok(granted > 60 && rotations > 2, `${granted} ${rotations}`);
});
