import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { buildConsole } from '../../infra/build-console.ts';

const MOST_BYTES = 40_000;
const SOURCES = join(import.meta.dirname, '../../src/console');

test('all that the page loads is 40 kB gzip at most, and nothing of the broker’s code is in it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'console-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const inputs = await buildConsole(folder);
  let sum = 0;
  for (const file of readdirSync(folder).filter((name) => name !== 'files.json')) {
    const bytes = gzipSync(readFileSync(join(folder, file)), { level: 9 }).length;
    t.diagnostic(`${file}: ${bytes} B`);
    assert.match(file, /-[A-Z0-9]{8}\.(js|css)$/, 'its name has a hash of the content');
    sum += bytes;
  }
  t.diagnostic(`${sum} B in all`);
  assert.ok(sum <= MOST_BYTES, `${sum} B`);
  assert.deepEqual(
    inputs.filter((input) => !/^(src\/console|node_modules\/(preact|htm))\//.test(input)),
    [],
  );
});

test('no source makes markup of a text, and no view is longer than 120 lines', () => {
  for (const path of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts')) continue;
    const text = readFileSync(join(SOURCES, path), 'utf8');
    assert.doesNotMatch(
      text,
      /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|localStorage/,
      path,
    );
    if (path.startsWith('views/')) assert.ok(text.split('\n').length <= 121, `${path} is too long`);
  }
});
