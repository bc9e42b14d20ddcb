import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
/** Every command of our own: the npm scripts that run one file of ours. */
const commands = Object.entries(scripts).flatMap(([name, script]) => {
  const file = /\s(?<file>(?:src|infra|test)\/[\w/-]+\.ts)$/.exec(script)?.groups?.['file'];
  return file === undefined || file.endsWith('.test.ts') ? [] : [{ name, file }];
});
const run = (file: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(root, file), ...args], { encoding: 'utf8' });

test('there are commands to try', () => assert.ok(commands.length >= 8));

for (const { name, file } of commands) {
  const typed = name === 'start' ? 'npm start' : `npm run ${name}`;
  test(`${typed} -- --help prints its usage and does nothing else`, () => {
    const { status, stdout, stderr } = run(file, '--help');
    assert.ok(stdout.startsWith(typed), `${stdout}${stderr}`);
    assert.equal(stderr, '');
    for (const row of stdout.split('\n')) assert.ok(row.length <= 80, `wider than a screen: ${row}`);
    assert.equal(status, 0);
  });
  test(`${typed} says which option is wrong, then its usage, and ends with 2`, () => {
    const { status, stdout, stderr } = run(file, '--no-such-option');
    assert.match(stderr, /^Unknown option '--no-such-option'/);
    assert.ok(stderr.includes(`\n\n${typed}`), stderr);
    assert.doesNotMatch(stderr, /^\s+at /m);
    assert.equal(stdout, '');
    assert.equal(status, 2);
  });
}
