/** Each of these guards can be taken out without any other test failing: test/simulation/mutations.ts names them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin, beginEmergency, resumed } from '../../src/rotation/begin.ts';
import { enter, promoted } from '../../src/rotation/progress.ts';
import { next } from '../../src/rotation/retire.ts';
import { tried } from '../../src/rotation/retry.ts';
import { unseen } from '../../src/rotation/state.ts';
import { World } from './world.ts';

const accountId = '/subscriptions/s/accounts/a';
const rules = { accountId, paused: false, startsAtMs: 0, mode: 'full', consumersMs: 0 } as const;
const keys = { Key1: 'one', Key2: 'two' };
const adopted = { ...unseen('speech', 0).state, generation: 1, secret: 'speech-key', secretVersion: 'v1' };
const draining = promoted(begin(adopted, 'full', 'scheduled', 0), { secret: 'speech-key', version: 'v2' }, 0);
const tags = { account: accountId, slot: 'Key2', fingerprint: keys.Key2, generation: '2' };
const vault = { secret: 'speech-key', version: 'v2', fingerprint: keys.Key2, tags };

test('a drain lasts two minutes longer than the ledger says, for clocks that differ', () => {
  const seen = { keys, vault, tokensLiveUntilMs: 600_000 };
  assert.equal(next(draining, { ...seen, nowMs: 720_000 }, rules).do, 'wait');
  assert.equal(next(draining, { ...seen, nowMs: 720_001 }, rules).do, 'note');
});

test('asking again does not shorten the wait after a regenerate whose outcome is unknown', () => {
  const regenerating = enter(draining, { name: 'regenerating', before: keys.Key1 }, 0);
  const unknown = tried(regenerating, { do: 'regenerate', slot: 'Key1', why: '' }, 0);
  assert.ok((resumed(unknown, 1_000).work?.notBeforeMs ?? 0) >= 120_000);
  assert.ok((resumed(resumed(unknown, 1_000), 2_000).work?.notBeforeMs ?? 0) >= 120_000);
});

test('an emergency that is asked for again does not promote a slot whose regenerate may still take effect', () => {
  const regenerating = enter(draining, { name: 'regenerating', before: keys.Key1 }, 0);
  const unknown = tried(regenerating, { do: 'regenerate', slot: 'Key1', why: '' }, 0);
  let state = beginEmergency(unknown, ['Key2'], 'leaked', 1_000);
  // The mark is taken up by the tick, then the demand is told, then told again.
  for (const nowMs of [2_000, 3_000]) state = beginEmergency(state, ['Key2'], 'leaked', nowMs);
  assert.ok((state.work?.notBeforeMs ?? 0) >= 120_000);
  const failed = tried(state, { do: 'prove', slot: 'Key1', why: '' }, 130_000);
  assert.equal(resumed(failed, 131_000).work?.notBeforeMs, 0);
});

test('the pause after a failed try doubles up to four minutes, and from the twelfth try on it is an hour', () => {
  const pauses: number[] = [];
  let state = begin(adopted, 'full', 'scheduled', 0);
  for (let tries = 0; tries < 13; tries += 1) {
    state = tried(state, { do: 'prove', slot: 'Key2', why: '' }, 0);
    pauses.push((state.work?.notBeforeMs ?? 0) / 1000);
  }
  assert.deepEqual(pauses, [5, 10, 20, 40, 80, 160, 240, 240, 240, 240, 240, 3600, 3600]);
});

test('a driver whose row was written by another one changes nothing, however fresh its lease is', async () => {
  const world = new World();
  await world.begun();
  await world.tickUntil('regenerating');
  const { Key1 } = world.account();
  // The row is written by somebody else between this driver's lease and its look at it.
  world.before = (call) => {
    if (call !== 'row speech regenerating') return;
    queueMicrotask(() => {
      const { account } = world.row();
      world.rows.set(account, { ...world.row(), etag: 'of another driver' });
    });
  };
  await world.tick();
  assert.equal(world.account().Key1, Key1);
});

test('an older version with a key of the account stays enabled', async () => {
  const world = new World();
  await world.begun();
  await world.tickUntil('proving');
  const live = world.account().Key2;
  const versions = world.secrets.get('speech-key') ?? [];
  versions.unshift({ version: 'older', value: live, tags: {}, enabled: true });
  await world.tickUntil('promoting');
  assert.equal(versions.find(({ version }) => version === 'older')?.enabled, true);
});

test('a key that another one replaced in the middle of its proof is proved from the beginning', async () => {
  const world = new World();
  await world.begun();
  await world.tick();
  // By hand, between the rounds of the proof.
  world.account().Key2 = world.makeKey();
  const writes = () => world.calls.filter((call) => call.startsWith('write')).length;
  const before = writes();
  await world.tick();
  assert.equal(writes(), before);
});

test('the head row is bumped after a promotion is written, and before the ledger is read', async () => {
  const world = new World();
  await world.begun();
  await world.tickUntil('promoting');
  const bumpsBefore = world.bumps;
  await world.tickUntil('draining');
  assert.equal(world.bumps, bumpsBefore + 1, 'after the row');
  await world.tick();
  assert.equal(world.bumps, bumpsBefore + 2, 'before the ledger is read');
});

test('a key counts as accepted only when it is so three times in a row', async () => {
  const world = new World();
  await world.begun();
  let asked = 0;
  world.before = (call) => {
    if (call.startsWith('prove')) asked += 1;
  };
  await world.tick();
  assert.equal(asked, 3);
});
