import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Planted, plantedCycles, plantedImports, plantedInRoots, plantedWorld } from './planted.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const RULES = [
  'lint/style/noRestrictedImports',
  'lint/style/noRestrictedGlobals',
  'lint/suspicious/noImportCycles',
  'plugin',
];

/** One run of the linter over a copy of the sources with everything planted in it; then only questions. */
describe('rules that the linter enforces', () => {
  const copy = mkdtempSync(join(tmpdir(), 'broker-lint-'));
  const refused = new Set<string>();
  const inRoots = new Map<string, number>();
  const roots = (['issuer', 'rotator'] as const).map((root) =>
    plantedInRoots(root, readFileSync(join(REPOSITORY, `src/${root}.ts`), 'utf8')),
  );
  const all = [...plantedImports(), ...plantedWorld(), ...plantedCycles()];

  before(() => {
    for (const name of [
      'src',
      'functions',
      '.biome',
      'biome.json',
      '.gitignore',
      'package.json',
      'tsconfig.json',
    ])
      cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true });
    symlinkSync(join(REPOSITORY, 'node_modules'), join(copy, 'node_modules'));
    for (const { path, text } of [...all, ...roots]) {
      mkdirSync(dirname(join(copy, path)), { recursive: true });
      writeFileSync(join(copy, path), text);
    }
    const ran = spawnSync(
      join(REPOSITORY, 'node_modules/.bin/biome'),
      ['lint', '--reporter=json', '--max-diagnostics=none', '.'],
      { cwd: copy, encoding: 'utf8', maxBuffer: 64 * 1_048_576 },
    );

    const report = JSON.parse(ran.stdout) as {
      diagnostics: { category: string; location: { path: string } }[];
    };
    for (const { category, location } of report.diagnostics)
      if (RULES.includes(category)) {
        if (!roots.some(({ path }) => path === location.path)) refused.add(location.path);
        // The two roots import each other here, which is a cycle too.
        else if (category === 'lint/style/noRestrictedImports')
          inRoots.set(location.path, (inRoots.get(location.path) ?? 0) + 1);
      }
  });
  after(() => rmSync(copy, { recursive: true, force: true }));

  const allRefused =
    (planted: readonly Planted[], atLeast: number) => (t: { diagnostic(text: string): void }) => {
      const missed = planted.filter(({ path }) => !refused.has(path)).map(({ what }) => what);
      t.diagnostic(`${planted.length - missed.length} of ${planted.length} refused`);
      assert.deepEqual(missed, []);
      assert.ok(planted.length >= atLeast);
    };
  test('every import that goes the wrong way is refused', allRefused(plantedImports(), 50));
  test('an app that joins what only the other may touch is refused, however it is imported', () => {
    // No more than these: so the roots as they are join nothing of it.
    for (const { path, count } of roots) assert.equal(inRoots.get(path), count, path);
  });
  test('a capability that reaches for the world itself is refused', allRefused(plantedWorld(), 50));
  test('every file of a cycle is refused', allRefused(plantedCycles(), 4));

  test('the sources as they are break none of these rules', () => {
    const planted = new Set(all.map(({ path }) => path));
    assert.deepEqual(
      [...refused].filter((path) => !planted.has(path)),
      [],
    );
  });
});
