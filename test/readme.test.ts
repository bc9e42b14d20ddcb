import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { issuerSettings, rotatorSettings } from '../src/settings.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
};

test('the table of settings in the README is what settings.ts declares', () => {
  const all = { ...issuerSettings.shape, ...rotatorSettings.shape };
  const rows = Object.entries(all).map(([name, shape]) => {
    const absent = shape.safeParse(undefined);
    const initial = absent.success
      ? `\`${Array.isArray(absent.data) ? absent.data.join(' ') : (absent.data ?? '')}\``
      : 'required';
    const inIssuer = name in issuerSettings.shape;
    const app = inIssuer && name in rotatorSettings.shape ? 'both' : inIssuer ? 'issuer' : 'rotator';
    return `| \`${name}\` | ${app} | ${initial.replace('``', 'none')} | ${shape.description} |`;
  });
  for (const row of rows) assert.ok(readme.includes(row), `the README lacks this row:\n${row}`);
  const documented = [...readme.matchAll(/^\| `((?:BROKER|OTEL)_[A-Z0-9_]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(documented.sort(), Object.keys(all).sort());
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

const root = join(import.meta.dirname, '..');
/** GitHub's anchor of a heading. */
const anchorOf = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

test('every link from one document to another leads to a file and a heading that are there', () => {
  const documents = globSync(['*.md', '.github/*.md', 'infra/*.md', 'src/**/*.md', 'test/**/*.md'], {
    cwd: root,
  });
  let links = 0;
  for (const document of documents)
    for (const [, link = ''] of readFileSync(join(root, document), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
      if (link.startsWith('https:')) continue;
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? join(root, document) : join(root, dirname(document), path);
      assert.ok(existsSync(file), `${document}: ${link}`);
      links += 1;
      if (anchor === undefined) continue;
      const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)];
      assert.ok(
        headings.some(([, heading = '']) => anchorOf(heading) === anchor),
        `${document}: ${link}`,
      );
    }
  assert.ok(links > 20);
});

test('the first screen of the README has what it is, the drawing and the two commands', () => {
  const [first = ''] = readme.split('\n## ');
  const rows = first.split('\n');
  assert.ok(rows.length <= 48, `${rows.length} rows`);
  const [, drawing = ''] = /```text\n([\s\S]*?)```/.exec(first) ?? [];
  for (const row of drawing.split('\n')) assert.ok(row.length <= 80, row);
  assert.match(first, /^npm ci && npm start$/m);
});
