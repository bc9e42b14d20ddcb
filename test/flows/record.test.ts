/** The record from end to end, in the local mode: what the timer makes of exchanges, and what an outage does to it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createProofReader } from '../../src/azure/proof-blob.ts';
import { createTables } from '../../src/azure/tables.ts';
import { createBooksReader } from '../../src/azure/usage-table.ts';
import { issuerIdentity, readerIdentity } from '../../src/local/simulated/demo-directory.ts';
import { type Entry, hashOf, NO_HASH, readLine } from '../../src/record/entry.ts';
import { addMinutes, dayOf, minuteOf } from '../../src/record/minute.ts';
import { tokensOf } from '../attacks/inside-issuer.ts';
import { NO_TIMER } from './rotation-hand.ts';
import { type Stack, startStack } from './stack.ts';

const EXCHANGES = 12;
let stack: Stack;
let proof: ReturnType<typeof createProofReader>;
let books: ReturnType<typeof createBooksReader>;
before(async () => {
  stack = await startStack([], NO_TIMER);
  await stack.warm();
  const { description } = stack;
  const clientIds = { issuer: issuerIdentity.clientId, reader: readerIdentity.clientId };
  // Anew each time: a day later the one before is over.
  const token = () => tokensOf(description, clientIds)('rotator', 'blobs');
  proof = createProofReader(
    description.environment.issuer['BROKER_BLOBS_URL'] ?? '',
    async () => ({ token: await token(), expiresOnTimestamp: Number.POSITIVE_INFINITY }),
    Date.now,
  );
  books = createBooksReader(
    createTables(description.tables, { getToken: () => Promise.reject(new Error('not asked for')) }),
  );
});
after(() => stack[Symbol.asyncDispose]());

const now = async (): Promise<number> => Date.parse(String((await stack.control('GET', '/clock'))['now']));
const health = async () => (await fetch(`${stack.description.broker}/health`)).json();
/** The timer's own runs go on beside this one. */
async function close(): Promise<void> {
  const [rotator] = stack.description.apps.rotator;
  const headers = { 'content-type': 'application/json' };
  await fetch(`${rotator}/admin/functions/close`, { method: 'POST', headers, body: '{"input":""}' });
}
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let left = 60; left > 0; left -= 1) {
    if (await isSo()) return;
    await wait(250);
  }
  assert.fail(`${what}\n${stack.log().slice(-2000)}`);
}
const isClosedThrough = async (ms: number): Promise<boolean> =>
  ((await books.cursor())?.value.minute ?? '') >= minuteOf(ms);

/** Each entry follows the one before it. */
async function chain(): Promise<Entry[]> {
  const entries: Entry[] = [];
  let last = { hash: NO_HASH, sequence: 0, minute: '' };
  for (const day of await proof.days())
    for (const line of (await proof.read(day, 0)).split('\n').slice(0, -1)) {
      const entry = readLine(line);
      assert.notEqual(entry, 'unreadable');
      if (entry === 'unreadable') continue;
      assert.equal(entry.previous, last.hash);
      assert.equal(entry.sequence, last.sequence + 1);
      if (last.minute !== '') assert.equal(entry.minute, addMinutes(last.minute, 1));
      assert.equal(dayOf(entry.minute), day);
      last = { hash: hashOf(line), sequence: entry.sequence, minute: entry.minute };
      entries.push(entry);
    }
  return entries;
}

test('what was exchanged is closed into the chain and counted by the hour and the day', async () => {
  const token = await stack.callerToken('captions');
  const began = await now();
  for (let index = 0; index < EXCHANGES; index += 1)
    assert.equal((await stack.exchange(token, 'speech')).status, 200);
  const ended = await now();
  await stack.control('POST', '/clock', { advanceSeconds: 420 });
  await close();
  await until('the minutes of the exchanges are closed', () => isClosedThrough(ended));
  const entries = await chain();
  const rows = entries
    .filter(({ minute }) => minute >= minuteOf(began) && minute <= minuteOf(ended))
    .reduce((sum, entry) => sum + entry.rows, 0);
  assert.ok(rows > 0 && rows <= EXCHANGES + 5, `${rows} rows`);
  const day = dayOf(minuteOf(ended));
  const query = { resource: 'speech', first: day, last: `${day}T23`, after: undefined, calls: 20 } as const;
  for (const per of ['day', 'hour'] as const) {
    const { items } = await books.rollUps({ ...query, per });
    assert.match(items.map(({ cells }) => cells).join(), /granted/);
  }
  await until('and health says so', async () => {
    const { record_minutes_behind: behind } = (await health()) as { record_minutes_behind?: number };
    return behind !== undefined && behind <= 1;
  });
});

test('an auditor is told who used what, and reads the chain and the rows with their proof', async () => {
  const asked = async (path: string) => {
    const authorization = `Bearer ${await stack.callerToken('auditor', stack.description.entra.operatorScope)}`;
    const answer = await fetch(`${stack.description.broker}/operator/${path}`, {
      headers: { authorization },
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return text;
  };
  const from = new Date((await now()) - 3_600_000).toISOString();
  const usage = JSON.parse(await asked(`usage?from=${from}&by=resource,outcome&per=day&outcome=granted`));
  const speech = usage.items.find(({ resource }: { resource?: string }) => resource === 'speech');
  assert.ok(speech.count >= EXCHANGES, JSON.stringify(usage));
  const entries = JSON.parse(await asked(`proof?from=${from}&limit=1000`)).items as { rows: number }[];
  assert.ok(entries.some(({ rows }) => rows > 0));
  const lines = (await asked(`audit/export?from=${from}`)).split('\n').filter(Boolean);
  assert.ok(lines.length >= entries.length);
});

test('a day without the blob service is closed when it is there again, into one chain, and health says how far it is behind', async () => {
  await stack.control('PUT', '/faults/blobs', { mode: 'down' });
  await stack.control('POST', '/clock', { advanceSeconds: 86_400 });
  await close();
  await until('health says that nothing is closed', async () => {
    const { record_minutes_behind: behind = 0 } = (await health()) as { record_minutes_behind?: number };
    return behind > 1_400;
  });
  const token = await stack.callerToken('captions');
  assert.equal((await stack.exchange(token, 'speech')).status, 200, 'an exchange needs no proof');
  await stack.control('DELETE', '/faults');
  await stack.control('POST', '/clock', { advanceSeconds: 60 });
  // Two at once: one of them is always second, and the chain is one all the same.
  await Promise.all([close(), close()]);
  const at = (await now()) - 300_000;
  await until('all is closed', () => isClosedThrough(at));
  const entries = await chain();
  assert.ok(entries.length > 1_440, `${entries.length} entries`);
});

test('an append whose answer was lost is not made twice', async () => {
  const before = (await chain()).length;
  await stack.control('PUT', '/faults/blobs', { mode: 'lost', operation: 'AppendBlock' });
  await stack.control('POST', '/clock', { advanceSeconds: 600 });
  await close();
  await wait(1_500);
  await stack.control('DELETE', '/faults');
  await stack.control('POST', '/clock', { advanceSeconds: 60 });
  await close();
  const at = (await now()) - 300_000;
  await until('all is closed', () => isClosedThrough(at));
  assert.ok((await chain()).length >= before + 10);
  assert.doesNotMatch(stack.log(), /record_foreign_lines|record_not_counted/);
});
