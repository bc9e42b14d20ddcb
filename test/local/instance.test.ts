import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type ChildHandle, startChild } from '../../src/local/children.ts';
import type { InstanceOptions } from '../../src/local/instance.ts';
import { appFolder, ask } from './host/running.ts';

const folder = mkdtempSync(join(tmpdir(), 'instance-'));
const children: ChildHandle[] = [];
after(async () => {
  await Promise.all(children.map((child) => child.stop(1000)));
  rmSync(folder, { recursive: true });
});

function startInstance(app: string) {
  const lines: string[] = [];
  const died = Promise.withResolvers<string>();
  const child = startChild({
    name: 'instance 1',
    script: new URL('../../src/local/instance.ts', import.meta.url),
    options: {
      appFolder: app,
      port: 0,
      name: 'instance-1',
      timerState: join(folder, 'timers.json'),
    } satisfies InstanceOptions,
    clock: { wallMs: 0, virtualMs: 86_400_000, speed: 1 },
    environment: {},
    log: (line) => lines.push(line),
    died: died.resolve,
  });
  children.push(child);
  child.send({ kind: 'settings', settings: { TEST_SCHEDULE: '0 0 12 * * *' } });
  return { child, lines, died: died.promise };
}

describe('a broker instance', () => {
  it('that is hit by an exception outside a handler answers what is in flight with 500 and ends', async () => {
    const { child, lines, died } = startInstance(appFolder);
    await child.ready;
    const [url] = await child.bound;
    const inFlight = ask(url, '/wait');
    // Answered after the first has been taken up.
    await ask(url, '/shape/json');
    const outside = await ask(url, '/outside');
    assert.deepEqual([outside.status, outside.body], [500, '']);
    assert.equal((await inFlight).status, 500);
    assert.equal(await died, 'exit code 70');
    assert.ok(lines.some((line) => line.includes('Worker uncaught exception: Error: outside a handler')));
  });
  it('has the settings and the virtual time that the launcher gave it', async () => {
    const { child } = startInstance(appFolder);
    await child.ready;
    const [url] = await child.bound;
    const status = JSON.parse((await ask(url, '/admin/host/status')).body);
    assert.ok(!status.errors.some((error: string) => error.startsWith('by-setting')));
    const ahead = () =>
      ask(url, '/echo').then(({ headers }) => Date.parse(headers['date'] ?? '') - Date.now());
    assert.ok(Math.abs((await ahead()) - 86_400_000) < 5000);
    await child.setClock({ wallMs: 0, virtualMs: 2 * 86_400_000, speed: 1 }, 5000);
    assert.ok(Math.abs((await ahead()) - 2 * 86_400_000) < 5000);
  });
  it('that cannot load its app says why', async () => {
    const { child } = startInstance(join(import.meta.dirname, 'host', 'broken-app'));
    await assert.rejects(child.ready, /instance 1: .*while loading/);
  });
});
