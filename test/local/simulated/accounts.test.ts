import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { createAccounts } from '../../../src/local/simulated/accounts.ts';
import type { EventGridEvent } from '../../../src/local/simulated/accounts-events.ts';

const folder = mkdtempSync(join(tmpdir(), 'accounts-'));
after(() => rmSync(folder, { recursive: true }));

function world() {
  const dataFolder = mkdtempSync(join(folder, 'x'));
  let nowMs = 1_000_000;
  const events: EventGridEvent[] = [];
  const open = () =>
    createAccounts({
      dataFolder,
      specs: [{ name: 'a', kind: 'SpeechServices', region: 'r', accountId: '/subscriptions/s/x/a' }],
      tenantId: 't',
      now: () => nowMs,
      armClock: () => nowMs,
      publish: (event) => void events.push(event),
    });
  const advance = (ms: number) => {
    nowMs += ms;
  };
  return { dataFolder, events, open, now: () => nowMs, advance };
}

test('whatever is regenerated when, a key is accepted exactly from its lag to the end of its successor’s', () => {
  const step = fc.record({
    slot: fc.constantFrom('Key1' as const, 'Key2' as const),
    newKeyLagMs: fc.nat(100),
    oldKeyLagMs: fc.nat(100),
    waitMs: fc.nat(150),
    restart: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const { open, now, advance, events } = world();
      let accounts = open();
      const key = (slot: 'Key1' | 'Key2') => {
        const account = accounts.find('a');
        assert.ok(account);
        return accounts.currentKey(account, slot).value;
      };
      const spans = (['Key1', 'Key2'] as const).map((slot) => ({
        slot,
        value: key(slot),
        fromMs: 0,
        untilMs: Number.POSITIVE_INFINITY,
      }));
      for (const { slot, newKeyLagMs, oldKeyLagMs, waitMs, restart } of steps) {
        accounts.configure('a', { newKeyLagMs, oldKeyLagMs });
        const current = spans.findLast((span) => span.slot === slot);
        if (current) current.untilMs = now() + oldKeyLagMs;
        accounts.regenerateByHand('a', slot);
        spans.push({
          slot,
          value: key(slot),
          fromMs: now() + newKeyLagMs,
          untilMs: Number.POSITIVE_INFINITY,
        });
        advance(waitMs);
        if (restart) accounts = open();
        for (const span of spans) {
          const isAccepted = now() >= span.fromMs && now() < span.untilMs;
          const isCurrent = span.untilMs === Number.POSITIVE_INFINITY;
          const expected = isAccepted ? (isCurrent ? span.slot : 'old') : undefined;
          assert.equal(accounts.keyVerdict('a', span.value, now()), expected);
        }
      }
      assert.equal(events.length, steps.length);
      assert.equal(new Set(spans.map((span) => span.value)).size, spans.length);
      assert.equal(accounts.keyVerdict('a', '', now()), undefined);
    }),
    { numRuns: 30 },
  );
});

test('a removed account accepts no key and says so to Event Grid, and stays removed', () => {
  const { open, now, events } = world();
  const accounts = open();
  const account = accounts.find('a');
  assert.ok(account);
  const { value } = accounts.currentKey(account, 'Key1');
  accounts.remove('a');
  assert.equal(accounts.keyVerdict('a', value, now()), undefined);
  assert.equal(events[0]?.eventType, 'Microsoft.Resources.ResourceDeleteSuccess');
  assert.equal(events[0]?.data['operationName'], 'Microsoft.CognitiveServices/accounts/delete');
  assert.equal(open().find('a')?.deleted, true);
  assert.throws(() => accounts.remove('b'), RangeError);
});

test('a kill in the middle of writing leaves a whole file of the old or the new state', async () => {
  const { dataFolder, open } = world();
  open();
  const path = join(dataFolder, 'accounts.json');
  const script = `
    import { createAccounts } from ${JSON.stringify(new URL('../../../src/local/simulated/accounts.ts', import.meta.url).href)};
    const accounts = createAccounts({
      dataFolder: ${JSON.stringify(dataFolder)}, tenantId: 't', now: Date.now, armClock: Date.now, publish() {},
      specs: [{ name: 'a', kind: 'SpeechServices', region: 'r', accountId: '/subscriptions/s/x/a' }],
    });
    for (;;) accounts.regenerateByHand('a', 'Key1');`;
  for (let i = 0; i < 3; i++) {
    const before = readFileSync(path, 'utf8');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    while (readFileSync(path, 'utf8') === before) await delay(5);
    await delay(7 * i);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const account = open().find('a');
    assert.ok(account);
    assert.equal(account.keys.filter((key) => key.acceptedUntilMs === null).length, 2);
  }
});
