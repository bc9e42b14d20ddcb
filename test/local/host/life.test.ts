import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { seen } from './app/seen.ts';
import { ask, startTestHost } from './running.ts';

type Host = Awaited<ReturnType<typeof startTestHost>>;
let host: Host | undefined;
afterEach(async () => {
  for (const go of seen.waiting.splice(0)) go();
  await host?.close();
  host = undefined;
});
async function waiting(): Promise<void> {
  while (seen.waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('the host', () => {
  it('tells its URL before it loads the app, so that a setting can name it', async () => {
    const order: string[] = [];
    seen.hooks = [];
    host = await startTestHost({
      bound: async (url) => {
        order.push(url, ...seen.hooks);
      },
    });
    assert.deepEqual(order, [host.url]);
    assert.deepEqual(seen.hooks, ['appStart']);
  });
  it('lets a request that comes while the app is loaded wait, and answers it then', async () => {
    let early: ReturnType<typeof ask> | undefined;
    host = await startTestHost({
      bound: async (url) => {
        early = ask(url, '/admin/host/ping');
        // Long enough for it to arrive.
        await new Promise((resolve) => setTimeout(resolve, 100));
      },
    });
    const answer = await Promise.race([
      early,
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 5_000).unref()),
    ]);
    assert.equal(answer?.status, 200);
  });
  it('runs with every route 404 where a file of the app throws while it is loaded', async () => {
    const appFolder = join(import.meta.dirname, 'broken-app');
    host = await startTestHost({ appFolder });
    assert.match(String(host.loadError), /while loading/);
    assert.deepEqual(host.functions, []);
    assert.equal((await ask(host.url, '/api/fine')).status, 404);
    assert.equal((await ask(host.url, '/admin/host/ping')).status, 200);
  });
  it('cannot start on a port that is taken', async () => {
    host = await startTestHost();
    const port = Number(new URL(host.url).port);
    await assert.rejects(startTestHost({ port }), { code: 'EADDRINUSE' });
  });
});

describe('when it ends', () => {
  it('stops listening at once, and what is in flight finishes', async () => {
    const one = await startTestHost();
    seen.hooks = [];
    const inFlight = ask(one.url, '/wait');
    await waiting();
    const closed = one.close();
    await assert.rejects(ask(one.url, '/echo'), { code: 'ECONNREFUSED' });
    assert.deepEqual(seen.hooks, []);
    for (const go of seen.waiting.splice(0)) go();
    assert.equal((await inFlight).body, 'done');
    await closed;
    assert.deepEqual(seen.hooks, ['appTerminate']);
  });
  it('cuts off what takes longer than the grace', async () => {
    const one = await startTestHost();
    const inFlight = ask(one.url, '/wait');
    await Promise.all([
      waiting(),
      assert.rejects(inFlight, { code: 'ECONNRESET' }),
      waiting().then(() => one.close(20)),
    ]);
  });
});

describe('when a function is stuck', () => {
  it('is answered an empty 500 after functionTimeout, with all that is in flight, and the worker is given up', async () => {
    const timedOut: string[] = [];
    host = await startTestHost({ timedOut: (name) => timedOut.push(name) });
    const other = ask(host.url, '/wait');
    await waiting();
    const stuck = await ask(host.url, '/late');
    assert.deepEqual([stuck.status, stuck.body], [500, '']);
    assert.equal((await other).status, 500);
    assert.ok(timedOut.length > 0);
    assert.ok(host.lines.some((line) => /Timeout value of 2000ms exceeded/.test(line)));
  });
});

describe('hooks around an invocation', () => {
  const appFolder = join(import.meta.dirname, 'hooks-app');
  it('can change what the function is given and what it answers, and share their data', async () => {
    host = await startTestHost({ appFolder });
    // The route prefix is `api` where host.json names none.
    assert.equal((await ask(host.url, '/api/told')).body, 'told by the hook');
    assert.equal((await ask(host.url, '/api/told/throw')).body, 'healed, the hook before');
    assert.equal((await ask(host.url, '/told')).status, 404);
  });
  it('keep the function from running where the one before throws', async () => {
    host = await startTestHost({ appFolder });
    assert.equal((await ask(host.url, '/api/told/refused')).body, 'healed, undefined');
  });
});
