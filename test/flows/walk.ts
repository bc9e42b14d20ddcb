/**
 * `node test/flows/walk.ts [--check]`: runs the flow suite and writes every call that the two apps made into
 * walked.json; with `--check` it only tells what differs, and exits with 1 where something does.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COLLECT, WALKED_FILE, walked } from './walked.ts';

const folder = mkdtempSync(join(tmpdir(), 'walk-'));
const file = join(folder, 'calls');
const root = join(import.meta.dirname, '../..');
const files = globSync('test/{flows,functions,attacks}/**/*.test.ts', { cwd: root });
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=2', '--test-reporter=dot', ...files],
  { cwd: root, stdio: 'inherit', env: { ...process.env, [COLLECT]: file } },
);
const found = [...new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean))].sort();
rmSync(folder, { recursive: true });
const before = walked();
const added = found.filter((call) => !before.includes(call));
const gone = before.filter((call) => !found.includes(call));
for (const call of added) console.log(`+ ${call}`);
for (const call of gone) console.log(`- ${call}`);
console.log(`${found.length} kinds of call, ${added.length} new, ${gone.length} gone`);
if (process.argv.includes('--check')) process.exitCode = added.length + gone.length > 0 ? 1 : 0;
else writeFileSync(WALKED_FILE, `${JSON.stringify(found, null, 2)}\n`);
// A failed test may have walked half of its way.
if (status !== 0) process.exitCode = 1;
