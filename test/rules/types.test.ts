import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const REPOSITORY = join(import.meta.dirname, '../..');

/** The files in which the compiler finds errors once `path` is changed, in a copy of the sources. */
function filesThatNoLongerCompile(path: string, change: (text: string) => string): string[] {
  const copy = mkdtempSync(join(tmpdir(), 'broker-types-'));
  try {
    for (const name of ['src', 'functions', 'infra', 'tsconfig.json', 'package.json', 'test/client'])
      cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true });
    symlinkSync(join(REPOSITORY, 'node_modules'), join(copy, 'node_modules'));
    const before = readFileSync(join(copy, path), 'utf8');
    const after = change(before);
    assert.notEqual(after, before, 'nothing was planted');
    writeFileSync(join(copy, path), after);
    const compiled = spawnSync(join(REPOSITORY, 'node_modules/.bin/tsc'), ['--noEmit', '--pretty', 'false'], {
      cwd: copy,
      encoding: 'utf8',
    });
    const files = [...compiled.stdout.matchAll(/^(\S+?)\(\d+,\d+\): error/gm)].map(([, file]) =>
      String(file),
    );
    return [...new Set(files)].sort();
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

test('a condition that is added to the caller rule and checked nowhere does not compile', () => {
  const files = filesThatNoLongerCompile('src/policy/schema.ts', (text) =>
    text.replace('  group: guid.optional(),', '  group: guid.optional(),\n  device: z.string().optional(),'),
  );
  assert.deepEqual(files, ['src/policy/match.ts']);
});

test('a token kind that is added to the list does not compile before every place says what it means there', () => {
  const files = filesThatNoLongerCompile('src/token-kind.ts', (text) =>
    text.replace("'sts', 'entra', 'obo'", "'sts', 'entra', 'obo', 'planted'"),
  );
  assert.deepEqual(files, [
    'infra/agree.ts',
    'src/exchange/obtain.ts',
    'src/exchange/tokens.ts',
    'src/policy/load.ts',
    'src/revocation/reach.ts',
    'src/token-kind.ts',
    'test/client/token-kind.test.ts',
  ]);
});
