import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { leaksIn } from '../../src/cli/leaks.ts';
import type { Account } from '../../src/rotation/shown.ts';

const fingerprintOf = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 16);
const older = (): string => randomBytes(16).toString('hex');
const newer = (): string =>
  randomBytes(200)
    .toString('base64')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, 84);

const accountsOf = (keys: readonly string[]): Account[] =>
  keys.map((key, at) => ({
    name: `account-${at}`,
    kind: 'SpeechServices',
    tokenKinds: ['sts'],
    rotates: true,
    slots: [{ slot: 'Key1', state: 'active', fingerprint: fingerprintOf(key) }],
  }));

test('ten keys in a planted history, among look-alikes, are found, each with its commit and file, and none else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'broker-leak-'));
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
  const keys = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? older() : newer()));
  try {
    git('init', '--quiet');
    for (const [at, key] of keys.entries()) {
      const lookAlikes = [
        older(),
        newer(),
        `${older()}0`,
        `a${newer()}`,
        randomBytes(20).toString('hex'),
        key.slice(1),
      ];
      const embedded = `x${key}`;
      const text = [...lookAlikes, embedded, `AZURE_KEY="${key}"`, `{"nested":{"key":"${older()}"}}`].join(
        '\n',
      );
      writeFileSync(join(folder, `file-${at}.env`), text);
      git('add', '.');
      git('commit', '--quiet', '--message', `commit ${at}`);
      // Gone from the work tree, and there in the history for ever.
      git('rm', '--quiet', `file-${at}.env`);
      git('commit', '--quiet', '--message', `remove ${at}`);
    }
    const log = git('log', '-p');
    const { found, others } = await leaksIn(
      [{ name: undefined, stream: Readable.from([log]) }],
      accountsOf(keys),
    );
    assert.deepEqual(found.map(({ account }) => account).sort(), keys.map((_, at) => `account-${at}`).sort());
    for (const { account, places } of found) {
      assert.match(places[0]?.commit ?? '', /^[0-9a-f]{40}$/);
      assert.ok(places.some(({ file }) => file === `file-${account.split('-')[1]}.env`));
    }
    assert.ok(others >= 30, 'the look-alikes of the very shape open no account');
    const told = JSON.stringify(found);
    for (const key of keys) assert.ok(!told.includes(key), 'no key is told');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a key is found however the text comes in parts, and in a line of any length', async () => {
  const key = newer();
  const text = `${'lorem ipsum '.repeat(200_000)}"${key}" ${'dolor '.repeat(100)}`;
  for (const size of [7, 1_000, 65_536, text.length]) {
    async function* parts() {
      for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
    }
    const { found } = await leaksIn([{ name: 'min.js', stream: parts() }], accountsOf([key]));
    assert.deepEqual(
      found.map(({ places }) => places),
      [[{ file: 'min.js', line: 1 }]],
      `in parts of ${size}`,
    );
  }
});

test('a file with Windows line ends, and one without a last line end, tell the right line', async () => {
  const [first, last] = [older(), newer()];
  const stream = Readable.from([`a\r\nkey=${first}\r\nb\r\n`, `c\n${last}`]);
  const { found } = await leaksIn([{ name: 'a.txt', stream }], accountsOf([first, last]));
  assert.deepEqual(
    found.map(({ places }) => places.map(({ line }) => line)),
    [[2], [5]],
  );
});
