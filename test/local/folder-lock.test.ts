/** Who may have a data folder, with processes that are killed. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { lockFile, lockFolder } from '../../src/local/folder-lock.ts';
import { type Started, start, until } from './started.ts';

let folder: string;
const started: Started[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(async () => {
  for (const each of started.splice(0)) {
    each.process.kill('SIGKILL');
    await each.exited;
  }
  rmSync(folder, { recursive: true });
});

const lockModule = new URL('../../src/local/folder-lock.ts', import.meta.url).href;
/** Takes the folder and keeps it, or says why not and ends. */
function owner(): Started {
  const script = `
    import { lockFolder } from ${JSON.stringify(lockModule)};
    try {
      globalThis.lock = lockFolder(${JSON.stringify(folder)}, Date.now());
      console.log('has it');
      setInterval(() => undefined, 1000);
    } catch (error) {
      console.log(error.message);
    }`;
  const child = start(process.execPath, ['--input-type=module', '-e', script]);
  started.push(child);
  return child;
}
const said = async (child: Started): Promise<string> => {
  await until(child, () => child.stdout().includes('\n'));
  return child.stdout();
};

test('a folder that is in use is refused with the process that has it and since when, and the owner keeps it', async () => {
  const first = owner();
  assert.equal(await said(first), 'has it\n');
  const { pid } = first.process;
  for (let tries = 0; tries < 2; tries += 1)
    assert.throws(() => lockFolder(folder, Date.now()), {
      message: new RegExp(`^--data: ${folder} is in use by process ${pid} since \\d{4}-\\d\\d-\\d\\dT`),
    });
  // Also one that hangs.
  first.process.kill('SIGSTOP');
  assert.throws(() => lockFolder(folder, Date.now()), /in use/);
});

test('the folder of an owner that was killed is free at once, also when its process id lives again', async () => {
  const first = owner();
  await said(first);
  first.process.kill('SIGKILL');
  await first.exited;
  // What a dead owner left behind says the id of a process that runs: this one's.
  writeFileSync(join(folder, 'owner.json'), JSON.stringify({ pid: process.pid, since: 'yesterday' }));
  const lock = lockFolder(folder, Date.now());
  lock.release();
  assert.ok(!existsSync(join(folder, 'owner.json')));
  lockFolder(folder, Date.now()).release();
  assert.deepEqual(readdirSync(folder), ['folder.lock'], 'nothing else is left');
});

test('of many starts at once after a crash exactly one has the folder', async () => {
  const crashed = owner();
  await said(crashed);
  crashed.process.kill('SIGKILL');
  await crashed.exited;
  const all = Array.from({ length: 6 }, owner);
  const answers = await Promise.all(all.map(said));
  const winners = all.filter((_, index) => answers[index] === 'has it\n');
  assert.equal(winners.length, 1, answers.join(''));
  const [winner] = winners;
  const { pid } = JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8')) as { pid: number };
  assert.equal(pid, winner?.process.pid);
});

test('who waits for an owner that is about to end has the file then', async () => {
  const path = join(folder, 'file');
  const script = `
    import { lockFile } from ${JSON.stringify(lockModule)};
    globalThis.lock = lockFile(${JSON.stringify(path)});
    console.log('has it');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 500);`;
  const child = start(process.execPath, ['--input-type=module', '-e', script]);
  started.push(child);
  await said(child);
  assert.equal(lockFile(path), undefined);
  const lock = lockFile(path, 20_000);
  assert.ok(lock);
  lock.release();
});
