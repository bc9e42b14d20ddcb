import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { table } from './table.ts';

const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('.github/SECURITY.md', root), 'utf8');

test('every test that SECURITY.md names is there, by its file and its title', () => {
  const named = [...text.matchAll(/`(test\/[^`]+)`(?: "([^"]+)")?/g)];
  assert.ok(named.filter(([, , title]) => title !== undefined).length > 30);
  for (const [, file = '', title] of named) {
    const place = new URL(file, root);
    assert.ok(existsSync(place), file);
    if (title !== undefined) assert.ok(readFileSync(place, 'utf8').includes(title), `${file}: ${title}`);
  }
});

test('every threat, defence and risk in SECURITY.md has a test', () => {
  const rows = text
    .split('\n')
    .filter((line) => /^\| (?!---)/.test(line) && !/^\|\s*\|? ?(threat|risk)/.test(line));
  for (const row of rows.filter((line) => !line.includes('shown by')))
    assert.match(row, /`test\/[^`]+` "[^"]+" \|$/, row);
});

test('no two attacks have one name: the table is read by names', () => {
  const names = Object.values(table).flatMap((attacks) => attacks.map(({ what }) => what));
  assert.equal(new Set(names).size, names.length);
});
