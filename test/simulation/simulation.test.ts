import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEEDS } from './deeds.ts';
import { POLICY_DEEDS } from './policy-deeds.ts';
import { runSchedule } from './run.ts';
import { simulate } from './simulate.ts';

const FAULTS = ['error', 'throttled', 'timeout', 'lost', 'late', 'pause', 'subscription throttled'];
const AROUND = ['duplicate tick', 'concurrent driver', 'old key lags', 'new key lags'];
const CLOCKS = ['clock ahead', 'clock behind', 'clock jumps'];
const DEMANDED = ['demand', 'demand in an emergency', 'message lost', 'message doubled', 'message late'];
const DEPLOYED = [
  'deployed: one app',
  'deployed: one app and two apps',
  'deployed: handing back and one app',
];
const PHASES = ['not adopted', 'steady', 'promoting', 'draining', 'regenerating', 'proving'];
test('no call fails and every invariant holds in random schedules of crashes, lost answers, lags and hands', async () => {
  const { code, last } = await simulate('--runs', '100', '--seed', '1');
  assert.deepEqual(last.violations, []);
  assert.equal(code, 0);
  assert.equal(last.runs, 100);
  for (const step of ['note', 'prove', 'publish', 'regenerate', 'tidy', 'heal']) {
    assert.ok((last.steps[step] ?? 0) > 20, `${step} was made ${last.steps[step]} times`);
  }
  for (const fault of [...FAULTS, ...AROUND, ...CLOCKS]) {
    assert.ok((last.faults[fault] ?? 0) > 20, `${fault} struck ${last.faults[fault]} times`);
  }
  for (const what of [...DEMANDED, ...DEPLOYED])
    assert.ok((last.faults[what] ?? 0) > 0, `there was no ${what}`);
  for (const deed of Object.keys({ ...DEEDS, ...POLICY_DEEDS }))
    assert.ok((last.faults[`by hand: ${deed}`] ?? 0) > 0, `nobody did: ${deed}`);
  for (const change of ['setSecret', 'regenerateKey', 'write row', 'publish', 'record step', 'bump head']) {
    const crashes = ['before', 'after'].map((when) => last.faults[`crash ${when} ${change}`] ?? 0);
    assert.ok(Math.max(...crashes) > 0, `no crash around ${change}`);
  }
  for (const phase of PHASES)
    assert.ok((last.reached[phase]?.['late'] ?? 0) > 0, `nothing late while ${phase}`);
});

test('the same seed replays exactly', async () => {
  const traces = await Promise.all(
    [1, 2].map(async () => {
      const lines: string[] = [];
      await runSchedule(77, (line) => lines.push(line));
      return lines;
    }),
  );
  assert.ok((traces[0]?.length ?? 0) > 50);
  assert.deepEqual(traces[0], traces[1]);
});
