import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEEDS } from './deeds.ts';
import { MUTATIONS } from './mutations.ts';
import { POLICY_DEEDS } from './policy-deeds.ts';
import type { Report } from './report.ts';
import { runSchedule } from './run.ts';

const FAULTS = ['error', 'throttled', 'timeout', 'lost', 'late', 'pause', 'subscription throttled'];
const AROUND = ['duplicate tick', 'concurrent driver', 'old key lags', 'new key lags'];
const CLOCKS = ['clock ahead', 'clock behind', 'clock jumps'];
const PHASES = ['not adopted', 'steady', 'promoting', 'draining', 'regenerating', 'proving'];
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

async function simulate(...options: string[]): Promise<{ code: number | null; last: Report }> {
  const child = spawn(process.execPath, [MAIN, '--json', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const part of child.stdout) text += part;
  const code = await new Promise<number | null>((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    child.once('exit', resolve);
  });
  return { code, last: JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Report };
}

test('no call fails and every invariant holds in random schedules of crashes, lost answers, lags and hands', async () => {
  const { code, last } = await simulate('--runs', '120', '--seed', '1');
  assert.deepEqual(last.violations, []);
  assert.equal(code, 0);
  assert.equal(last.runs, 120);
  for (const step of ['note', 'prove', 'publish', 'regenerate', 'tidy', 'heal']) {
    assert.ok((last.steps[step] ?? 0) > 30, `${step} was made ${last.steps[step]} times`);
  }
  for (const fault of [...FAULTS, ...AROUND, ...CLOCKS]) {
    assert.ok((last.faults[fault] ?? 0) > 30, `${fault} struck ${last.faults[fault]} times`);
  }
  for (const deed of Object.keys({ ...DEEDS, ...POLICY_DEEDS }))
    assert.ok((last.faults[`by hand: ${deed}`] ?? 0) > 0, `nobody did: ${deed}`);
  for (const change of ['setSecret', 'regenerateKey', 'disable', 'write row', 'record step', 'bump head'])
    for (const crash of [`crash before ${change}`, `crash after ${change}`])
      assert.ok((last.faults[crash] ?? 0) > 0, `no ${crash}`);
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

for (const name of Object.keys(MUTATIONS)) {
  test(`the mutation ${name} is caught`, async () => {
    const { code, last } = await simulate('--mutate', name, '--runs', '3000', '--violations', '1');
    const [violation] = last.violations;
    assert.ok(violation !== undefined, `not caught in ${last.runs} schedules`);
    assert.equal(code, 1);
  });
}
