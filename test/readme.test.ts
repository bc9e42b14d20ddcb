import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { settings } from '../src/config.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
};

test('the table of settings in the README is what config.ts reads', () => {
  const rows = Object.entries(settings.shape).map(([name, shape]) => {
    const absent = shape.safeParse(undefined);
    const initial = absent.success
      ? `\`${Array.isArray(absent.data) ? absent.data.join(' ') : absent.data}\``
      : 'required';
    return `| \`${name}\` | ${initial.replace('``', 'none')} | ${shape.description} |`;
  });
  for (const row of rows) assert.ok(readme.includes(row), `the README lacks this row:\n${row}`);
  const documented = [...readme.matchAll(/^\| `(BROKER_[A-Z0-9_]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(documented.sort(), Object.keys(settings.shape).sort());
});

test('every command that the README names is a script', () => {
  const named = [...readme.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name ?? '');
  assert.ok(named.length > 0);
  for (const name of named) assert.ok(name in packageJson.scripts, `npm run ${name}`);
});

test('every production dependency is accounted for in the README', () => {
  for (const name of Object.keys(packageJson.dependencies))
    assert.ok(readme.includes(`| \`${name}\` |`), name);
});
