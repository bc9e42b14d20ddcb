import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpResponse } from '@azure/functions';
import { ReadyResponse } from '../../src/http/ready-response.ts';

test('an answer whose bytes are ready is, to the byte, the one the library would have made', async () => {
  const answer = {
    status: 503,
    headers: { 'cache-control': 'no-store', 'retry-after': '5' },
    jsonBody: { error: 'temporarily_unavailable', error_description: 'Zürich ≠ "Bern"' },
  };
  const ready = new ReadyResponse(answer);
  const usual = new HttpResponse(answer);
  assert(ready instanceof HttpResponse);
  assert.equal(ready.status, usual.status);
  assert.deepEqual(Object.fromEntries(ready.headers.entries()), Object.fromEntries(usual.headers.entries()));
  assert.deepEqual(Buffer.from(await ready.arrayBuffer()), Buffer.from(await usual.arrayBuffer()));
});
