import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadApp } from '../../src/local/host/app.ts';
import { parseSchedule } from '../../src/local/host/schedule.ts';
import { MINUTE_MS } from '../../src/record/minute.ts';

test('the books are closed once in every minute', async () => {
  const root = fileURLToPath(new URL('../../functions/rotator', import.meta.url));
  const { registry, loadError } = await loadApp(root, () => undefined);
  assert.equal(loadError, undefined);
  const bindings = Object.values(registry.functions.get('close')?.metadata.bindings ?? {});
  const [schedule] = bindings.flatMap((binding) => (binding as { schedule?: string }).schedule ?? []);
  const { next } = parseSchedule(schedule ?? '', {});
  let atMs = Date.UTC(2026, 10, 27, 23, 58);
  for (let run = 0; run < 4; run += 1) {
    const beforeMs = atMs;
    atMs = next(atMs);
    assert.ok(run === 0 || atMs - beforeMs === MINUTE_MS);
  }
});
