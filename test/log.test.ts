import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { createLog } from '../src/log.ts';

test('an event is one line, and what is undefined is left out', async () => {
  const writes: string[] = [];
  const log = createLog((text) => writes.push(text));
  log('exchange', { outcome: 'granted', ms: 1.5, grant: undefined, warm: true });
  log('started');
  await after(60);
  assert.deepEqual(writes, ['exchange outcome=granted ms=1.5 warm=true\nstarted\n'], 'one write');
});

test('no value can forge a field or a line', async () => {
  const writes: string[] = [];
  createLog((text) => writes.push(text))('exchange', { reason: 'a b\noutcome=granted "x"', empty: '' });
  await after(60);
  assert.deepEqual(writes, ['exchange reason="a b\\noutcome=granted \\"x\\"" empty=""\n']);
});

test('what looks like a token is not printed, whoever put it there; identifiers are', async () => {
  const writes: string[] = [];
  const log = createLog((text) => writes.push(text));
  log('event', { type: `eyJhbGciOiJSUzI1NiJ9.${'x'.repeat(40)}.sig` });
  log('event', {
    correlation: '0af7651916cd43dd8448eb211c80319c',
    id: '00000000-0000-4000-8000-000000000001',
  });
  await after(60);
  assert.equal(
    writes.join(''),
    'event type="[redacted]"\nevent correlation=0af7651916cd43dd8448eb211c80319c id=00000000-0000-4000-8000-000000000001\n',
  );
});
