import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { completion, SHELLS } from '../../src/cli/completion.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { SHAPES } from '../../src/cli/schemas.ts';
import { SPECS } from '../../src/cli/specs.ts';
import type { World } from '../../src/cli/world.ts';

async function inProcess(args: readonly string[]) {
  let out = '';
  let err = '';
  const world: World = {
    env: {},
    stdin: Readable.from([]),
    stdout: { write: (text) => (out += text), isTerminal: false, columns: undefined },
    stderr: { write: (text) => (err += text), isTerminal: false, columns: undefined },
    nowMs: () => 0,
    findRunning: () => [],
    fetch: () => assert.fail('nothing is asked'),
    signal: new AbortController().signal,
  };
  return { code: await runCommandLine(world, args), out, err };
}

test('every command has help with examples that fit 80 columns, and a file of its own', async () => {
  const files = readdirSync(join(import.meta.dirname, '../../src/cli/commands'));
  assert.deepEqual(
    files.map((file) => file.replace('.ts', '')).sort(),
    SPECS.map(({ name }) => name.replace(' ', '-')).sort(),
  );
  for (const { name, examples } of SPECS) {
    const { code, out, err } = await inProcess([...name.split(' '), '--help']);
    assert.equal(code, 0);
    assert.equal(err, '');
    assert.ok(examples.length > 0, name);
    for (const example of examples) assert.ok(out.includes(`azure-ai-token-broker ${example}\n`), example);
    for (const line of out.split('\n')) assert.ok(line.length <= 81, line);
  }
  const { out } = await inProcess(['--help']);
  for (const { name } of SPECS) assert.match(out, new RegExp(`^ {2}${name.split(' ')[0]}\\b`, 'm'));
});

test('every command that has data to print has a published schema for it', async () => {
  const without = new Set(['schema', 'completion', 'run']);
  for (const { name } of SPECS) {
    const { code, out } = await inProcess(['schema', ...name.split(' ')]);
    assert.equal(code, without.has(name) ? 2 : 0, name);
    if (code === 0) assert.equal(JSON.parse(out).title, name);
  }
  for (const name of Object.keys(SHAPES))
    assert.ok(
      SPECS.some((spec) => spec.name === name),
      name,
    );
});

test('where nothing runs and no broker is named the next step is said, with exit code 3', async () => {
  const { code, out, err } = await inProcess(['token', 'speech', '--as', 'ada']);
  assert.equal(code, 3);
  assert.equal(out, '');
  assert.match(err, /npm start[\s\S]*--broker URL/);
});

test('the completion scripts are accepted by their shells, and know every command', () => {
  const checks: Record<string, [string, ...string[]]> = {
    bash: ['bash', '-n'],
    zsh: ['zsh', '-n'],
    fish: ['fish', '--no-execute'],
  };
  for (const shell of SHELLS) {
    const script = completion(shell, SPECS) ?? assert.fail();
    for (const { name } of SPECS)
      assert.ok(script.includes(name.split(' ').at(-1) ?? ''), `${shell}: ${name}`);
    const [command, ...args] = checks[shell] ?? [];
    if (command === undefined) continue;
    const { status, error, stderr } = spawnSync(command, args, {
      input: script,
      encoding: 'utf8',
    });
    // A shell that is not on this machine says nothing.
    if (error === undefined) assert.equal(status, 0, `${shell}: ${stderr}`);
  }
});

test('under an older Node of this machine the launcher starts the one that npm ci has brought', (context) => {
  const older = (process.env['PATH'] ?? '').split(':').flatMap((folder) => {
    const { stdout } = spawnSync(join(folder, 'node'), ['--version'], { encoding: 'utf8' });
    return Number(/^v(\d+)/.exec(stdout ?? '')?.[1] ?? 99) < 24 ? [join(folder, 'node')] : [];
  })[0];
  if (older === undefined) return context.skip('there is none');
  const launcher = join(import.meta.dirname, '../../src/cli/launcher.cjs');
  const ran = spawnSync(older, [launcher, 'nonsense'], { encoding: 'utf8' });
  assert.equal(ran.status, 2);
  assert.match(ran.stderr, /no command nonsense/);
});

test('bash completes commands, their options, and after -- what it completes everywhere', () => {
  const complete = (...words: string[]): string[] => {
    const script = `${completion('bash', SPECS)}
      compopt() { :; }
      COMP_WORDS=(azure-ai-token-broker ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
      _azure_ai_token_broker; echo "\${COMPREPLY[*]}"`;
    return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.trim().split(' ');
  };
  assert.deepEqual(complete('to'), ['token']);
  assert.deepEqual(complete('proxy', 'chat', '--p'), ['--port']);
  assert.deepEqual(complete('token', '--h'), ['--header', '--help']);
  assert.deepEqual(complete('run', 'chat', '--', 'n'), ['']);
});
