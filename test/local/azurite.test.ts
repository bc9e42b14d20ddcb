import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { startTableServer } from '../../src/local/azurite.ts';

test('Azurite cannot tell anybody that it is used: its telemetry library is not loaded', async () => {
  const server = await startTableServer();
  await server.close();
  const loaded = Object.values(createRequire(import.meta.url).cache);
  const telemetry = loaded.filter((module) => module?.filename?.includes('/applicationinsights/'));
  assert.ok(loaded.some((module) => module?.filename?.includes('/azurite/')));
  assert.deepEqual(telemetry, []);
});
