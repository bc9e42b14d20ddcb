import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin } from '../../src/rotation/begin.ts';
import { enter, promoted } from '../../src/rotation/progress.ts';
import { next } from '../../src/rotation/retire.ts';
import { unseen } from '../../src/rotation/state.ts';

const accountId = '/subscriptions/s/accounts/a';
const rules = { accountId, paused: false, startsAtMs: 0, mode: 'full', consumersMs: 0 } as const;
const keys = { Key1: 'one', Key2: 'two' };

test('what a driver healed before it died drains anew: someone may have bought with the retired key meanwhile', () => {
  const adopted = { ...unseen('speech', 0).state, generation: 1, secret: 'speech-key', secretVersion: 'v1' };
  const draining = promoted(
    begin(adopted, 'full', 'scheduled', 0),
    { secret: 'speech-key', version: 'v2' },
    0,
  );
  const regenerating = enter(draining, { name: 'regenerating', before: keys.Key1 }, 0);
  // By hand the vault held Key1 again; a driver wrote Key2 as v4 and died before it wrote its row.
  const tags = {
    account: accountId,
    slot: 'Key2',
    fingerprint: keys.Key2,
    generation: String(regenerating.generation + 1),
  };
  const vault = { secret: 'speech-key', version: 'v4', fingerprint: keys.Key2, tags };
  const nowMs = 600_000;
  const step = next(regenerating, { nowMs, keys, vault, tokensLiveUntilMs: 0 }, rules);
  assert.ok(step.do === 'note', step.do);
  assert.equal(step.to.work?.phase.name, 'draining');
  const later = next(step.to, { nowMs: nowMs + 1, keys, vault, tokensLiveUntilMs: 0 }, rules);
  assert.equal(later.do, 'wait');
});
