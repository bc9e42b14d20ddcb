import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadApp } from '../../src/local/host/app.ts';

test('an empty schedule is one that is not set: the host would disable the rotation, and it alone', async () => {
  process.env['BROKER_ROTATION_SCHEDULE'] = ' ';
  const root = fileURLToPath(new URL('../../functions/rotator', import.meta.url));
  const { registry, loadError } = await loadApp(root, () => undefined);
  assert.equal(loadError, undefined);
  const bindings = Object.values(registry.functions.get('rotate')?.metadata.bindings ?? {});
  assert.ok(bindings.some((binding) => (binding as { schedule?: string }).schedule === '0 */5 * * * *'));
});
