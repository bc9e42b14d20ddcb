import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, retryAfterSeconds } from '../../src/azure/call.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

async function failureOf(work: Promise<unknown>): Promise<UpstreamFailure> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UpstreamFailure, String(error));
  return error;
}
const failing = (error: unknown) => {
  let attempts = 0;
  const run = (): Promise<never> => {
    attempts += 1;
    return Promise.reject(error);
  };
  return { run, attempts: () => attempts };
};

test('an answer is the answer', async () => {
  assert.equal(await call('sts', 'x', async () => 7), 7);
});

test('a passing fault is tried again, three times in all', async () => {
  for (const status of [408, 429, 500, 502, 503, 504]) {
    const { run, attempts } = failing({ statusCode: status, name: 'RestError' });
    const failure = await failureOf(call('tables', 'x', run, { deadlineMs: 10_000 }));
    assert.deepEqual([failure.status, attempts()], [status, 3], String(status));
  }
});

test('what asking again would not change is not asked again', async () => {
  for (const status of [400, 401, 403, 404, 409, 412]) {
    const { run, attempts } = failing({ statusCode: status });
    await failureOf(call('tables', 'x', run));
    assert.equal(attempts(), 1, String(status));
  }
});

test('a call that must not be repeated blindly is made once', async () => {
  const { run, attempts } = failing({ statusCode: 503 });
  await failureOf(call('arm', 'x', run, { attempts: 1 }));
  assert.equal(attempts(), 1);
});

test('the deadline holds for all attempts together, also against who ignores the signal', async () => {
  const startedAt = performance.now();
  let signalled = false;
  const failure = await failureOf(
    call(
      'sts',
      'issueToken',
      (signal) => {
        signal.addEventListener('abort', () => {
          signalled = true;
        });
        return new Promise(() => undefined);
      },
      { deadlineMs: 80 },
    ),
  );
  assert.ok(performance.now() - startedAt < 1000);
  assert.equal(failure.message, 'sts: issueToken: no answer in time');
  assert.ok(signalled);
});

test('Retry-After is waited for within the deadline, and passed on where it is longer', async () => {
  let attempts = 0;
  const startedAt = performance.now();
  const answer = await call('entra', 'x', async () => {
    attempts += 1;
    if (attempts === 1) throw new UpstreamFailure('entra', 'was refused', 429, 1);
    return 'there';
  });
  assert.equal(answer, 'there');
  assert.ok(performance.now() - startedAt >= 990);

  const { run, attempts: tried } = failing(new UpstreamFailure('entra', 'was refused', 429, 60));
  const failure = await failureOf(call('entra', 'x', run));
  assert.deepEqual([tried(), failure.retryAfterSeconds], [1, 60]);
});

test('of an error only the status, the wait and a code are kept: no body, no URL', async () => {
  const error = Object.assign(new Error('POST https://x/?code=SECRET failed with {"key":"SECRET"}'), {
    statusCode: 503,
    code: 'ServerBusy',
    request: { url: 'https://x/?code=SECRET' },
    response: { headers: new Headers({ 'retry-after': '60' }), bodyAsText: 'SECRET' },
  });
  const failure = await failureOf(call('tables', 'read head', () => Promise.reject(error)));
  assert.equal(failure.message, 'tables: read head failed: ServerBusy (status 503)');
  assert.equal(failure.retryAfterSeconds, 60);
  assert.ok(!JSON.stringify(failure, Object.getOwnPropertyNames(failure)).includes('SECRET'));
  assert.ok(!(failure.stack ?? '').includes('SECRET'));
  assert.equal(failure.cause, undefined);
});

test('Retry-After is whole seconds or nothing', () => {
  assert.equal(retryAfterSeconds('7'), 7);
  for (const text of [null, undefined, '', '-1', '1.5', 'soon', '123456', 'Sun, 22 Nov 2026 12:00:00 GMT'])
    assert.equal(retryAfterSeconds(text), undefined, String(text));
});
