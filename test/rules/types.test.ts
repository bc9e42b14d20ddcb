import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const REPOSITORY = join(import.meta.dirname, '../..');

/** One run of the compiler over a copy of the sources with both things added; then only questions. */
describe('what the compiler refuses', () => {
  const copy = mkdtempSync(join(tmpdir(), 'broker-types-'));
  const errors: { readonly file: string; readonly text: string }[] = [];
  const filesWith = (isMeant: (text: string) => boolean): string[] =>
    [...new Set(errors.filter(({ text }) => isMeant(text)).map(({ file }) => file))].sort();

  function plant(path: string, text: string, by: string): void {
    const before = readFileSync(join(copy, path), 'utf8');
    assert.ok(before.includes(text), 'nothing was planted');
    writeFileSync(join(copy, path), before.replace(text, by));
  }

  before(() => {
    for (const name of ['src', 'functions', 'infra', 'tsconfig.json', 'package.json', 'test/client'])
      cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true });
    symlinkSync(join(REPOSITORY, 'node_modules'), join(copy, 'node_modules'));
    const rule = 'const caller = z\n  .strictObject({';
    plant('src/policy/schema.ts', rule, `${rule}\n    device: z.string().optional(),`);
    plant('src/token-kind.ts', '] as const', ", 'planted'] as const");
    const compiled = spawnSync(join(REPOSITORY, 'node_modules/.bin/tsc'), ['--noEmit', '--pretty', 'false'], {
      cwd: copy,
      encoding: 'utf8',
    });
    for (const [, file, text] of compiled.stdout.matchAll(/^(\S+?)\(\d+,\d+\): error (.*)$/gm))
      errors.push({ file: String(file), text: String(text) });
  });
  after(() => rmSync(copy, { recursive: true, force: true }));

  // The compiler names the condition that is missing. Every other error is one of the token kind.
  const isOfCondition = (text: string): boolean => text.includes("'device'");

  test('a condition that is added to the caller rule and checked nowhere does not compile', () => {
    assert.deepEqual(filesWith(isOfCondition), ['src/policy/match.ts']);
  });

  test('a token kind that is added to the list does not compile before every place says what it means there', () => {
    assert.deepEqual(
      filesWith((text) => !isOfCondition(text)),
      [
        'infra/agree.ts',
        'src/exchange/advice.ts',
        'src/exchange/caller-changes.ts',
        'src/exchange/obtain.ts',
        'src/exchange/tokens.ts',
        'src/policy/lifetimes.ts',
        'src/revocation/reach.ts',
        'src/token-kind.ts',
        'test/client/token-kind.test.ts',
      ],
    );
  });

  test('the map names each of these files to whoever adds a token kind', () => {
    const map = readFileSync(join(REPOSITORY, 'src/README.md'), 'utf8');
    const row = /^\| a token kind \|.*$/m.exec(map)?.[0] ?? '';
    // A test of the client's stands for the client itself, which imports nothing.
    for (const file of filesWith((text) => !isOfCondition(text)))
      assert.ok(row.includes(file.startsWith('test/client/') ? 'src/client/broker-token.ts' : file), file);
  });
});
