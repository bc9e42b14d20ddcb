/**
 * What closing the books costs, and how soon they answer: a million exchanges of thirty days, written by the real
 * writer, closed by the real closer into Azurite's tables and blobs, through doors that count the calls. Rows are kept for
 * two days only, so that Azurite, which looks at a whole table for each query, has few.
 */
import { createAuditRows } from '../../src/azure/audit-rows.ts';
import { createAuditTable } from '../../src/azure/audit-table.ts';
import { createRows } from '../../src/azure/rows.ts';
import { createTables } from '../../src/azure/tables.ts';
import { createBooks, createBooksReader } from '../../src/azure/usage-table.ts';
import { each } from '../../src/each.ts';
import { iso } from '../../src/iso.ts';
import { startTableServer } from '../../src/local/azurite.ts';
import { rotatorIdentity } from '../../src/local/simulated/demo-directory.ts';
import { createRequestLog } from '../../src/local/simulated/requests.ts';
import { serveStorage } from '../../src/local/simulated/storage.ts';
import { createTls } from '../../src/local/simulated/tls.ts';
import { createTablesAt } from '../../src/local/tables.ts';
import type { AuditRecord } from '../../src/ports.ts';
import { closeBooks } from '../../src/record/close.ts';
import { MINUTE_MS } from '../../src/record/minute.ts';
import { SETTLED_AFTER_MS } from '../../src/record/settled.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { startBlobs } from '../azure/blobs.ts';

const DAYS = 30;
const DAY_MS = 86_400_000;
/** A million in thirty days. One row holds what came while the one before it was written. */
const PER_MINUTE = 24;
const RESOURCES = ['speech', 'chat', 'translator', 'vision', 'language'];
const CALLERS = 40;
const BEGIN_MS = Date.UTC(2026, 0, 1);

export async function recordBench() {
  const log = createRequestLog(10);
  const server = await startTableServer();
  const fabric = {
    tls: createTls(),
    faults: { strike: () => undefined, unreachable: () => false, set() {}, clear() {} },
  };
  const door = await serveStorage(
    { ...fabric, requests: log, now: Date.now, log: () => undefined },
    { service: 'tables', port: 0, azurite: () => server.getHttpServerAddress() },
  );
  const url = `${door.url}/devstoreaccount1`;
  await createTablesAt(url);
  const noCredential = () => Promise.reject(new Error('on loopback no credential is asked for'));
  const tables = createTables(url, { getToken: noCredential });
  await using blobs = await startBlobs();
  let nowMs = BEGIN_MS;
  const rows = createRows(url, noCredential, () => nowMs);
  const audit = createAuditRows(tables);
  const closeOnce = (auditDays: number) =>
    closeBooks({
      audit,
      proof: blobs.proofOf(rotatorIdentity.principalId),
      books: createBooks(tables),
      clock: () => nowMs,
      log: () => undefined,
      keep: { auditDays, holdFromMs: undefined },
      isOver: () => false,
    });
  /** On a busy machine a call may miss its deadline, and closing again is always right. */
  const close = async (auditDays = 3_650) => {
    for (let left = 20; ; left -= 1)
      try {
        return await closeOnce(auditDays);
      } catch (error) {
        if (!(error instanceof UpstreamFailure) || left === 0) throw error;
        failures += 1;
      }
  };
  const calls = () => log.last + blobs.requests.last;

  let failures = 0;
  let closeMs = 0;
  let closeCalls = 0;
  let removedRows = 0;
  let removeMs = 0;
  for (let day = 0; day < DAYS; day += 1) {
    const fromMs = BEGIN_MS + day * DAY_MS;
    await each(Array(1440).keys(), 8, async (minute) => {
      const atMs = fromMs + minute * MINUTE_MS + 1;
      const write = createAuditTable(rows, () => atMs, 'i');
      await write(
        Array.from({ length: PER_MINUTE }, (_, index) => recordOf(atMs, minute * PER_MINUTE + index)),
      );
    });
    nowMs = fromMs + DAY_MS + SETTLED_AFTER_MS;
    const [beganMs, before] = [performance.now(), calls()];
    await close();
    closeMs += performance.now() - beganMs;
    closeCalls += calls() - before;
    console.log(`  day ${day + 1}: closed in ${Math.round(closeMs / (day + 1))} ms a day`);
    // A minute later what is older than two days goes, because the next entry says so.
    nowMs += MINUTE_MS;
    const removingMs = performance.now();
    removedRows += (await close(2)).removed;
    removeMs += performance.now() - removingMs;
  }
  // As the timer does: one minute at each run.
  const minutes = 60;
  let oneMs = 0;
  const beforeOnes = calls();
  for (let minute = 0; minute < minutes; minute += 1) {
    const atMs = BEGIN_MS + DAYS * DAY_MS + (minute + 2) * MINUTE_MS + 1;
    await createAuditTable(
      rows,
      () => atMs,
      'i',
    )(Array.from({ length: PER_MINUTE }, (_, index) => recordOf(atMs, index)));
    nowMs = atMs - 1 + MINUTE_MS + SETTLED_AFTER_MS;
    const beganMs = performance.now();
    await close();
    oneMs += performance.now() - beganMs;
  }
  const oneCalls = calls() - beforeOnes - minutes;

  const asked = { per: 'day', resource: 'speech', after: undefined, calls: 20 } as const;
  const [first, last] = [iso(BEGIN_MS).slice(0, 10), iso(BEGIN_MS + DAYS * DAY_MS).slice(0, 10)];
  const [beganMs, before] = [performance.now(), log.last];
  const { items, next } = await createBooksReader(tables).rollUps({ ...asked, first, last });
  const usageMs = performance.now() - beganMs;
  const usageCalls = log.last - before;
  await door.close();
  await server.close();
  const exchanges = DAYS * 1440 * PER_MINUTE;
  return {
    exchanges,
    minutes: DAYS * 1440,
    closingAMillionSeconds: Math.round(closeMs / 100 / (exchanges / 1e6)) / 10,
    closingAMinuteInADayMs: Math.round((closeMs / DAYS / 1440) * 100) / 100,
    callsAMinuteInADay: Math.round((closeCalls / DAYS / 1440) * 100) / 100,
    closingOneMinuteMs: Math.round((oneMs / minutes) * 10) / 10,
    callsOfOneMinute: Math.round((oneCalls / minutes) * 10) / 10,
    runsThatFailed: failures,
    removingARowMs: Math.round((removeMs / removedRows) * 100) / 100,
    usageOfThirtyDays: {
      rows: items.length,
      ms: Math.round(usageMs),
      calls: usageCalls,
      whole: next === undefined,
    },
  };
}

function recordOf(atMs: number, index: number): AuditRecord {
  const caller = `00000000-0000-4000-8000-${String(index % CALLERS).padStart(12, '0')}`;
  return {
    at: iso(atMs),
    correlationId: `c-${atMs}-${index}`,
    outcome: index % 10 === 0 ? 'refused' : 'granted',
    resource: RESOURCES[index % RESOURCES.length] ?? '',
    tokenKind: 'sts',
    tenantId: caller,
    clientId: caller,
    objectId: caller,
    instance: 'i',
    ...(index % 10 === 0 ? { reason: 'no grant' } : { grant: 'captions' }),
  } as AuditRecord;
}
