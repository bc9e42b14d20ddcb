import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TABLE_NAMES } from '../../src/table-names.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const map = read('src/README.md');
const filesUnder = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path}`);

test('every invariant that a comment or a test names by number is in the map', () => {
  const numbered = [...map.matchAll(/^([0-9]+)\. .*$/gm)].map(([, number]) => Number(number));
  const invariants = new Set(numbered.slice(numbered.lastIndexOf(1)));
  assert.deepEqual(
    [...invariants],
    Array.from({ length: 12 }, (_, index) => index + 1),
  );
  let named = 0;
  for (const file of [...filesUnder('src'), ...filesUnder('test')])
    for (const [, list = ''] of read(file).matchAll(/\b[Ii]nvariants? ((?:[0-9]+(?:, | and )?)+)/g))
      for (const number of list.match(/[0-9]+/g) ?? []) {
        assert.ok(invariants.has(Number(number)), `${file} names invariant ${number}`);
        named += 1;
      }
  assert.ok(named >= 5);
});

test('every room and every table is in the map', () => {
  for (const { name, parentPath } of readdirSync(join(root, 'src'), {
    withFileTypes: true,
    recursive: true,
  }).filter((entry) => entry.isDirectory())) {
    const isRoom = parentPath === join(root, 'src') || parentPath.endsWith('/revocation');
    assert.ok(!isRoom || map.includes(`${name}/`), name);
  }
  for (const name of TABLE_NAMES) assert.match(map, new RegExp(`^\\| \`${name}\` \\|`, 'm'));
});

test('every file and every command that the maps name is there', () => {
  const { scripts } = JSON.parse(read('package.json'));
  const text = `${map}\n${read('test/README.md')}\n${read('.github/CONTRIBUTING.md')}`;
  for (const [, script = ''] of text.matchAll(/npm run ([a-z:]+)/g)) assert.ok(scripts[script], script);
  for (const [path] of text.matchAll(/\b(?:src|test|infra|functions)\/[a-z/0-9-]+\.(?:ts|test\.ts|bicep)\b/g))
    assert.ok(read(path), path);
});
