import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const { scripts, allowScripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

test('every npm script that runs TypeScript says first what is missing', () => {
  for (const [name, command] of Object.entries<string>(scripts))
    if (/\.ts\b/.test(command)) assert.match(command, /^node src\/preflight\.cjs && /, name);
});

test('npm may run the install script of `node` alone, and asks about no other', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const withScripts = Object.entries<{ hasInstallScript?: boolean; optional?: boolean }>(lock.packages)
    .filter(([, { hasInstallScript, optional }]) => hasInstallScript && !optional)
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
  assert.deepEqual(Object.keys(allowScripts).sort(), withScripts.sort());
  assert.deepEqual(
    Object.keys(allowScripts).filter((name) => allowScripts[name]),
    ['node'],
  );
});

test('without node_modules the one line says npm ci', () => {
  const folder = mkdtempSync(join(tmpdir(), 'preflight-'));
  try {
    mkdirSync(join(folder, 'src'));
    cpSync(join(root, 'src/preflight.cjs'), join(folder, 'src/preflight.cjs'));
    const { status, stderr } = spawnSync(process.execPath, [
      '-r',
      join(folder, 'src/preflight.cjs'),
      '-e',
      '',
    ]);
    assert.equal(status, 1);
    assert.equal(String(stderr), 'The dependencies are not installed. Run: npm ci\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('an older Node is told in one line how to get Node 24', () => {
  const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });
    require(${JSON.stringify(join(root, 'src/preflight.cjs'))})`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', old]);
  assert.equal(status, 1);
  assert.match(
    String(stderr),
    /^This needs Node 24 and was started with Node 20\.20\.2: .*npm rebuild node[^\n]*\n$/,
  );
});

test('where all is there it says nothing', () => {
  assert.equal(String(execFileSync(process.execPath, [join(root, 'src/preflight.cjs')])), '');
});
