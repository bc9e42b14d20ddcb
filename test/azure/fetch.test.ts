import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { fetchJson, fetchText } from '../../src/azure/fetch.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { startUpstream } from './upstream-server.ts';

const shape = z.object({ a: z.number() });

test('a redirect is not followed: no answer may send us elsewhere', async () => {
  await using elsewhere = await startUpstream(() => ({ status: 200, body: { a: 1 } }));
  await using upstream = await startUpstream(() => ({ status: 302, headers: { location: elsewhere.url } }));
  await assert.rejects(fetchText('entra', upstream.url, {}));
  assert.equal(elsewhere.asked.length, 0);
});

test('an answer without end is cut off', async () => {
  await using upstream = await startUpstream(() => ({ status: 200, body: 'x'.repeat(1_100_000) }));
  await assert.rejects(fetchText('entra', upstream.url, {}), UpstreamFailure);
});

test('what is not 200, not JSON or of another shape is an outage', async () => {
  await using upstream = await startUpstream(() => ({ status: 200, body: { a: 1 } }));
  assert.deepEqual(await fetchJson('entra', upstream.url, {}, shape), { a: 1 });
  for (const answer of [
    { status: 200, body: '<html>' },
    { status: 200, body: { a: 'x' } },
    { status: 200, body: '' },
    { status: 204 },
    { status: 503, body: { a: 1 }, headers: { 'retry-after': '9' } },
  ]) {
    upstream.answer = () => answer;
    await assert.rejects(fetchJson('entra', upstream.url, {}, shape), (error) => {
      assert.ok(error instanceof UpstreamFailure);
      assert.equal(error.status, answer.status === 200 ? 0 : answer.status);
      return true;
    });
  }
});
