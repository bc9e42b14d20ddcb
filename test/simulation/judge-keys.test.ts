import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unseen } from '../../src/rotation/state.ts';
import { Cloud } from './cloud.ts';
import { KeyJudge } from './judge-keys.ts';
import { drawResource, Policies } from './policies.ts';
import { createProcess } from './process.ts';
import { createChance } from './random.ts';
import { createTimeline } from './timeline.ts';
import { createVerdict, START_MS } from './verdict.ts';

const SECOND_MS = 1_000;

/** The vault holds Key2, somebody regenerates it, and Key1 was just made too: no gateway knows it, then some do. */
function bothKeysYoung() {
  const chance = createChance(1);
  const timeline = createTimeline(START_MS);
  const cloud = new Cloud(chance, ['speech'], START_MS);
  const [account] = cloud.accounts;
  assert.ok(account);
  const resource = drawResource(account, chance, 60 * SECOND_MS);
  const secret = resource.secret ?? assert.fail();
  const verdict = createVerdict(timeline, undefined);
  const count = (): void => undefined;
  const rotator = createProcess({ chance, timeline, count, maxClockOffMs: 0 }, 'rotator', 'rotator-1', false);
  const row = unseen(account.key, START_MS);
  const lease = { ...row.lease, holder: 'rotator-1/1' };
  const judge = new KeyJudge({
    account,
    cloud,
    policies: new Policies(chance, timeline, [resource]),
    timeline,
    verdict,
    row: () => ({ ...row, lease, state: { ...row.state, secret } }),
    hasLiveToken: () => false,
  });
  cloud.secrets.add(secret, account.current.Key2.value, {}, START_MS);
  while (account.current.Key1.acceptedByAllMs < START_MS + 100 * SECOND_MS)
    account.regenerate('Key1', START_MS);
  account.regenerate('Key2', START_MS, true);
  while (account.current.Key2.acceptedByAllMs < account.current.Key1.acceptedByAllMs)
    account.regenerate('Key2', START_MS, true);
  const write = (slot: 'Key1' | 'Key2'): void => {
    const { secret: value } = account.current[slot];
    judge.onChange(rotator, { kind: 'write', secret, value }, false);
    cloud.secrets.add(secret, value.reveal(), {}, timeline.now());
  };
  return { timeline, verdict, cloud, secret, write, Key1: account.current.Key1, Key2: account.current.Key2 };
}

test('a key that some gateways know may take the place of a dead one, and be written again when the answer was lost', async () => {
  const { timeline, verdict, write, Key1 } = bothKeysYoung();
  await timeline.runUntil(Key1.acceptedBySomeMs);
  write('Key1');
  write('Key1');
  assert.deepEqual(verdict.violations, []);
});

test('a key that no gateway knows yet may not be made current, nor one in the place of a key that works', async () => {
  const young = bothKeysYoung();
  young.write('Key1');
  assert.deepEqual(young.verdict.violations, [early('Key1')]);

  const { timeline, verdict, write, Key1, Key2 } = bothKeysYoung();
  await timeline.runUntil(Math.max(Key1.acceptedBySomeMs, Key2.acceptedBySomeMs));
  write('Key1');
  write('Key2');
  assert.deepEqual(verdict.violations, [early('Key2')]);
});

test('a disabled version makes no key current: what is written after it is judged', () => {
  const { verdict, cloud, secret, write, Key1 } = bothKeysYoung();
  const { version } = cloud.secrets.add(secret, Key1.value, {}, START_MS) as { version: string };
  cloud.secrets.disable(secret, version);
  write('Key1');
  assert.deepEqual(verdict.violations, [early('Key1')]);
});

const early = (slot: string) => ({
  invariant: '2 current key',
  what: `${slot} is made current before it is accepted`,
});
