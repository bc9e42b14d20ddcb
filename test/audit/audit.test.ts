import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createAudit, MAX_RECORDS_PER_WRITE } from '../../src/audit/audit.ts';
import { redact } from '../../src/audit/redact.ts';
import type { AuditRecord } from '../../src/ports.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

const record = (rest: Partial<AuditRecord> = {}): AuditRecord => ({
  at: '2026-11-22T12:00:00.000Z',
  correlationId: '0af7651916cd43dd8448eb211c80319c',
  outcome: 'refused',
  instance: '00000000-0000-4000-8000-000000000001',
  ...rest,
});

test('a record is durable when append returns, and not before', async () => {
  const written = Promise.withResolvers<void>();
  const audit = createAudit(() => written.promise);
  let isDone = false;
  const appended = audit.append(record()).then(() => {
    isDone = true;
  });
  for (let left = 5; left > 0; left -= 1) await turn();
  assert.equal(isDone, false);
  written.resolve();
  await appended;
});

test('records that wait at one moment share a write; each is written once, in order', async () => {
  const writes: (readonly AuditRecord[])[] = [];
  const audit = createAudit(async (records) => {
    writes.push(records);
    await turn();
  });
  const ids = Array.from({ length: 1200 }, (_, index) => String(index));
  await Promise.all(ids.map((correlationId) => audit.append(record({ correlationId }))));
  assert.deepEqual(
    writes.flat().map(({ correlationId }) => correlationId),
    ids,
  );
  assert.ok(writes.length <= 1200 / MAX_RECORDS_PER_WRITE + 1);
  assert.ok(writes.every(({ length }) => length <= MAX_RECORDS_PER_WRITE));
});

test('a write that fails fails every exchange that waited for it, and the next write is another', async () => {
  let writes = 0;
  const audit = createAudit(async () => {
    writes += 1;
    if (writes === 1) throw new UpstreamFailure('tables', 'is down');
  });
  const failed = await Promise.allSettled([audit.append(record()), audit.append(record())]);
  assert.ok(failed.every(({ status }) => status === 'rejected'));
  await audit.append(record());
  assert.equal(writes, 2);
});

test('what looks like a token or a key is not kept, whatever led it here', () => {
  const jwt = `eyJhbGciOiJSUzI1NiJ9.${'eyJzdWIiOiJ4In0'}.c2lnbmF0dXJl`;
  for (const secret of [
    jwt,
    jwt.slice(0, -20),
    '0123456789abcdef0123456789abcdef',
    '0123456789ABCDEF0123456789ABCDEF',
    'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v2W3x4Y5z6A7b8C9d0E1f2G3h4I5j6K7l8AAAAABBBB',
    'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr==',
  ]) {
    const kept = JSON.stringify(redact(record({ reason: `target_unknown: https://x/?key=${secret}&y` })));
    assert.ok(!kept.includes(secret.slice(0, 24)), kept);
    assert.match(kept, /target_unknown: https:\/\/x\/\?(key=)?\[redacted\]/);
  }
});

test('identifiers, names and the words of the reasons stay readable', () => {
  const full = record({
    tenantId: '00000000-0000-4000-8000-000000000001',
    resource: 'contoso-speech-recognition-production-western-europe',
    token: '0123456789abcdef',
    reason: 'revoked: user 00000000-0000-4000-8000-000000000001 00000000-0000-4000-8000-000000000002',
  });
  assert.deepEqual(redact(full), full);
  assert.equal(redact(record({ reason: 'a '.repeat(400) })).reason?.length, 300);
});
