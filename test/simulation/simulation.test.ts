import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MUTATIONS } from './mutations.ts';
import { runSchedule } from './run.ts';

const AROUND = [
  'duplicate tick',
  'concurrent driver',
  'clock ahead',
  'clock behind',
  'old key lags',
  'new key lags',
];
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
interface Report {
  readonly runs: number;
  readonly violations: readonly { readonly seed: number; readonly invariant: string }[];
  readonly steps: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
}

test('no call fails and every invariant holds in random schedules of crashes, lost answers, lags and hands', async () => {
  const { code, last } = await simulate('--runs', '250', '--seed', '1');
  assert.deepEqual(last.violations, []);
  assert.equal(code, 0);
  assert.equal(last.runs, 250);
  for (const step of ['note', 'prove', 'publish', 'regenerate', 'tidy', 'heal']) {
    assert.ok((last.steps[step] ?? 0) > 30, `${step} was made ${last.steps[step]} times`);
  }
  for (const fault of ['error', 'throttled', 'timeout', 'lost', 'late', 'pause', ...AROUND]) {
    assert.ok((last.faults[fault] ?? 0) > 30, `${fault} struck ${last.faults[fault]} times`);
  }
  for (const change of ['setSecret', 'regenerateKey', 'disable', 'write row', 'record step', 'bump head'])
    for (const crash of [`crash before ${change}`, `crash after ${change}`])
      assert.ok((last.faults[crash] ?? 0) > 0, `no ${crash}`);
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
