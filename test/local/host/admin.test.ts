import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { seen } from './app/seen.ts';
import { ask, startTestHost } from './running.ts';

let host: Awaited<ReturnType<typeof startTestHost>>;
before(async () => {
  host = await startTestHost();
});
after(() => host.close());
beforeEach(() => {
  seen.timers = [];
  seen.events = [];
});

const run = (name: string, body = '{"input":""}', headers = ['Content-Type', 'application/json']) =>
  ask(host.url, `/admin/functions/${name}`, { method: 'POST', body, headers });
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('running a function by hand', () => {
  it('is answered with an empty 202 before it has run, and its name is taken in any case', async () => {
    const { status, body } = await run('Five-MINUTES');
    assert.deepEqual([status, body], [202, '']);
    await until(() => seen.timers.length === 1);
    assert.equal(seen.timers[0]?.name, 'five-minutes');
  });
  it('is answered with 202 where the handler throws, which the log tells', async () => {
    assert.equal((await run('fails')).status, 202);
    await until(() => host.lines.some((line) => line.includes("'Functions.fails' (Failed)")));
  });
  it('gives an event function its event, and an http function a request', async () => {
    const input = JSON.stringify({ id: 'by hand' });
    assert.equal((await run('listen', JSON.stringify({ input }))).status, 202);
    await until(() => seen.events.length === 1);
    assert.deepEqual(seen.events[0]?.event, { id: 'by hand' });
    assert.equal((await run('echo', JSON.stringify({ input: 'x' }))).status, 202);
    await until(() => host.lines.some((line) => line.includes("'Functions.echo' (Succeeded)")));
  });
  it('is 400 without a body or with a bad one, 415 without a content type, 404 for an unknown name', async () => {
    for (const body of ['', '{', '"text"', 'null', '[]', '{"input":7}']) {
      assert.equal((await run('five-minutes', body)).status, 400, body);
    }
    assert.equal((await run('five-minutes', '{"input":""}', [])).status, 415);
    assert.equal((await run('five-minutes', '{"input":""}', ['Content-Type', 'text/plain'])).status, 415);
    assert.equal((await run('unknown')).status, 404);
    assert.equal(seen.timers.length, 0);
  });
});

describe('what the host tells about itself', () => {
  const read = async (path: string) => JSON.parse((await ask(host.url, path)).body);

  it('is an empty 200 at ping', async () => {
    const { status, body } = await ask(host.url, '/admin/host/ping');
    assert.deepEqual([status, body], [200, '']);
  });
  it('is its state, and which functions are in error', async () => {
    const status = await read('/admin/host/status');
    assert.equal(status.state, 'Running');
    assert.deepEqual(status.errors.map((error: string) => error.split(':')[0]).sort(), [
      'adminish',
      'by-setting',
      'reserved',
      'same-2',
      'unknown-constraint',
      'wrong',
    ]);
  });
  it('is the functions that run, each with its bindings', async () => {
    const functions: { name: string }[] = await read('/admin/functions');
    assert.deepEqual(
      functions.map(({ name }) => name),
      host.functions.map(({ name }) => name),
    );
    const one = await read('/admin/functions/LISTEN');
    assert.deepEqual([one.name, one.config.bindings[0].type], ['listen', 'eventGridTrigger']);
    assert.deepEqual(await read('/admin/functions/listen/status'), {});
  });
  it('is 404 for anything else', async () => {
    for (const path of ['/admin', '/admin/other', '/admin/functions/unknown', '/runtime/other']) {
      assert.equal((await ask(host.url, path)).status, 404, path);
    }
  });
});
