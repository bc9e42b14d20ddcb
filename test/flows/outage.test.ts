/** Each thing the broker depends on: gone, slow or talking nonsense, in turn, on one instance that is never restarted. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createTables } from '../../src/azure/tables.ts';
import { withoutSecrets } from '../../src/secret.ts';
import { auditOfDay } from '../azure/audit-day.ts';
import { type Answer, type Stack, startStack } from './stack.ts';

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack[Symbol.asyncDispose]());

const CALLERS_AT_ONCE = 8;
const faults = {
  down: { mode: 'down' },
  slow: { mode: 'slow', delayMs: 20_000 },
  garbage: { mode: 'garbage' },
} as const;

/** All answers to exchanges of that moment, and how long the last of them took. */
async function ask(caller: string, target: string): Promise<{ answers: Answer[]; tookMs: number }> {
  const startedAt = performance.now();
  const answers = await Promise.all(
    Array.from({ length: CALLERS_AT_ONCE }, () => stack.exchange(caller, target)),
  );
  return { answers, tookMs: performance.now() - startedAt };
}
/** Past the life of a key-exchange token, so that the next exchange has to buy. */
const expireTokens = () => stack.control('POST', '/clock', { advanceSeconds: 601 });

/** After a failure nobody asks again for a second, so that the fault before would answer for the next. */
const passPause = () => stack.control('POST', '/clock', { advanceSeconds: 2 });

async function recovers(caller: string, target: string, status = 200): Promise<void> {
  let last: Answer | undefined;
  for (let left = 100; left > 0; left -= 1) {
    last = await stack.exchange(caller, target);
    if (last.status === status) return;
    assert.equal(last.status, 503, withoutSecrets(last.text));
    await wait(100);
  }
  assert.fail(`no recovery: ${last?.text}`);
}
async function outcomesOf(correlation: unknown): Promise<string[]> {
  const tables = createTables(stack.description.tables, { getToken: () => assert.fail('on loopback') });
  const { now } = (await stack.control('GET', '/clock')) as { now: string };
  const records = await auditOfDay(tables, now.slice(0, 10));
  return records.filter(({ correlationId }) => correlationId === correlation).map(({ outcome }) => outcome);
}

// On the way from a cold instance: whose keys, which identity, which key, which token; and the tables always.
// What one line warms is what the next one needs, and no more: a refusal needs Entra's keys only.
const speech = { caller: 'captions', target: 'speech', status: 200 };
const services = [
  { service: 'entra', asked: [speech], recovered: { ...speech, target: 'nothing', status: 400 } },
  {
    service: 'identity',
    asked: [speech, { ...speech, caller: 'translations', target: 'vision' }],
    recovered: speech,
  },
  { service: 'keyvault', asked: [speech], recovered: speech },
  { service: 'sts', asked: [speech], recovered: speech },
  { service: 'tables', asked: [speech], recovered: speech },
];
/** A cold instance must stay cold for the next fault: what it lacks is had only by recovering. */
const isCold = (service: string): boolean => service === 'entra' || service === 'identity';

for (const { service, asked, recovered } of services)
  for (const [mode, fault] of Object.entries(faults))
    test(`${service} ${mode}: 503 with Retry-After within ten seconds, no grant and no denial, and over when it is over`, async () => {
      if (!isCold(service)) await expireTokens();
      const callers = await Promise.all(asked.map(({ caller }) => stack.callerToken(caller)));
      await stack.control('PUT', `/faults/${service}`, fault);
      const all = await Promise.all(asked.map(({ target }, index) => ask(callers[index] ?? '', target)));
      await stack.control('DELETE', '/faults');
      await passPause();
      for (const { answers, tookMs } of all) {
        assert.ok(tookMs < 10_000, `${tookMs} ms`);
        if (mode === 'slow') assert.ok(tookMs > 2_000, `answered in ${tookMs} ms: not by what is slow`);
        for (const { status, headers, body, text } of answers) {
          assert.equal(status, 503, withoutSecrets(text));
          assert.match(headers.get('retry-after') ?? '', /^[0-9]+$/);
          assert.equal(body['error'], 'temporarily_unavailable');
          assert.ok(!('access_token' in body));
        }
        for (const outcome of await outcomesOf(answers[0]?.body['correlation_id']))
          assert.notEqual(outcome, 'refused');
      }
      if (!isCold(service) || mode === 'garbage')
        await recovers(callers[0] ?? '', recovered.target, recovered.status);
    });

test('what is held serves on while nobody sells: Entra, vault, STS and identities down at once', async () => {
  const caller = await stack.callerToken('captions');
  await recovers(caller, 'speech');
  for (const service of ['entra', 'identity', 'keyvault', 'sts'])
    await stack.control('PUT', `/faults/${service}`, faults.down);
  const { answers } = await ask(caller, 'speech');
  await stack.control('DELETE', '/faults');
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
});

test('an answer that was lost on the way is asked for again', async () => {
  for (const service of ['sts', 'keyvault', 'tables']) {
    await expireTokens();
    const caller = await stack.callerToken('captions');
    await stack.control('PUT', `/faults/${service}`, { mode: 'lost', share: 0.2 });
    await recovers(caller, 'speech');
    await stack.control('DELETE', '/faults');
  }
});

test('what the service asks to wait is what the caller hears', async () => {
  await expireTokens();
  const caller = await stack.callerToken('captions');
  await stack.control('PUT', '/faults/keyvault', { mode: 'status', status: 429, retryAfterSeconds: 17 });
  const answer = await stack.exchange(caller, 'speech');
  await stack.control('DELETE', '/faults');
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '17']);
});

test('with the tables failing now and then, every answer is a grant on record or a 503', async () => {
  const caller = await stack.callerToken('captions');
  await stack.control('PUT', '/faults/tables', { mode: 'garbage', share: 0.4 });
  const answers = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      await wait(index * 10);
      return stack.exchange(caller, 'speech');
    }),
  );
  await stack.control('DELETE', '/faults');
  for (const { status, text } of answers) assert.ok(status === 200 || status === 503, text);
});

test('health tells an outage of the tables', async () => {
  await stack.control('PUT', '/faults/tables', faults.down);
  // An answer is at most five seconds old.
  await stack.control('POST', '/clock', { advanceSeconds: 5 });
  const answer = await fetch(`${stack.description.broker}/health`);
  await stack.control('DELETE', '/faults');
  assert.equal(answer.status, 503);
  assert.ok(answer.headers.get('retry-after'));
});

test('through all of this the process never fell', () => {
  assert.doesNotMatch(stack.log(), /uncaught|unhandled|starting it again/i);
});
