/** What holds in every workflow, and the order of a release. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { infra } from './bicep-syntax.ts';

const root = join(infra, '..');
const folder = join(root, '.github/workflows');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const workflows = new Map(readdirSync(folder).map((name) => [name, read(name)]));

/** The jobs of a workflow, by name. */
function jobsOf(name: string): ReadonlyMap<string, string> {
  const [, jobs = ''] = read(name).split(/^jobs:$/m);
  return new Map(
    [...jobs.matchAll(/^ {2}([\w-]+):\n((?: {3,}.*\n|\n| {2}#.*\n)*)/gm)].map(([, job = '', text = '']) => [
      job,
      text,
    ]),
  );
}
const job = (workflow: string, name: string): string =>
  jobsOf(workflow).get(name) ?? assert.fail(`${workflow}: no job ${name}`);
/** The permissions of a job, one a line: `contents: read`. */
const permissionsOf = (text: string): string[] =>
  (/^ {4}permissions:\n((?: {6}.*\n)+)/m.exec(text)?.[1] ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .toSorted();
/** The steps of a job, each from its first dash. */
const stepsOf = (text: string): string[] => text.split(/^ {6}- /m).slice(1);
function isInOrder(text: string, parts: readonly string[]): void {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    assert.ok(at >= from, part);
    from = at + part.length;
  }
}

test('every action is pinned by commit, with the version that it is; what is not pinned is a file of this repository', () => {
  for (const [name, text] of workflows)
    for (const [, action = '', comment] of text.matchAll(/uses: (\S+)(.*)/g)) {
      if (action.startsWith('./.github/workflows/')) continue;
      assert.match(action, /^[\w-]+\/[\w-]+(\/[\w-]+)?@[0-9a-f]{40}$/, name);
      assert.match(comment ?? '', /^ # v\d+\.\d+\.\d+$/, `${name}: ${action}`);
    }
});

test('one version of each action, of azd and of the Bicep compiler is in all workflows', () => {
  const all = [...workflows.values()].join('\n');
  const versions = new Map<string, Set<string>>();
  const see = (what: string, version: string) =>
    versions.set(what, (versions.get(what) ?? new Set()).add(version));
  for (const [, action = '', version = ''] of all.matchAll(/uses: ([\w-]+\/[\w-]+)[\w/-]*@(\S+)/g))
    see(action, version);
  for (const [, version = ''] of all.matchAll(/az bicep install(.*?)(?:$| && )/gm)) see('bicep', version);
  for (const [, version = ''] of all.matchAll(/setup-azd@[^\n]*\n(?: +#.*\n| +with:\n)*( +version: \S+)/g))
    see('azd', version);
  for (const [what, seen] of versions) assert.equal(seen.size, 1, `${what}: ${[...seen]}`);
  assert.match([...(versions.get('bicep') ?? [])].join(), /^ --version v\d+\.\d+\.\d+$/);
  assert.match([...(versions.get('azd') ?? [])].join(), /version: \d+\.\d+\.\d+$/);
  const bicep = /v(\d\S+)/.exec([...(versions.get('bicep') ?? [])].join())?.[1] ?? '';
  assert.ok(readFileSync(join(root, 'README.md'), 'utf8').includes(`with version ${bicep}`));
});

test('no job has more than it says: none by default, each its own list, and no workflow runs for a stranger with rights', () => {
  for (const [name, text] of workflows) {
    assert.match(text, /^permissions: \{\}$/m, name);
    assert.doesNotMatch(text, /pull_request_target|workflow_run|write-all|secrets[.:]/, name);
    assert.ok(jobsOf(name).size > 0, name);
    for (const [one, body] of jobsOf(name)) assert.ok(permissionsOf(body).length > 0, `${name}: ${one}`);
  }
  const writers = [...workflows.keys()].flatMap((name) =>
    [...jobsOf(name)].flatMap(([one, body]) =>
      permissionsOf(body)
        .filter((line) => line.endsWith('write'))
        .map((line) => `${name} ${one} ${line}`),
    ),
  );
  assert.deepEqual(writers.toSorted(), [
    'check.yml what-if id-token: write',
    'check.yml what-if pull-requests: write',
    'codeql.yml analyze security-events: write',
    'policy.yml apply id-token: write',
    'policy.yml check pull-requests: write',
    'promote.yml promote id-token: write',
    'release.yml attest attestations: write',
    'release.yml attest id-token: write',
    'release.yml dev id-token: write',
    'release.yml npm id-token: write',
    'release.yml prod id-token: write',
    'release.yml publish contents: write',
    'release.yml tried contents: write',
  ]);
});

test('no checkout leaves a credential behind', () => {
  for (const name of workflows.keys())
    for (const [one, body] of jobsOf(name))
      for (const step of stepsOf(body).filter((text) => text.includes('actions/checkout@')))
        assert.match(step, /^ {10}persist-credentials: false$/m, `${name}: ${one}`);
});

test('what an event or a person says comes in as a variable and is never a part of a script', () => {
  // A number of the matrix is written in the workflow itself.
  const own = /^\$\{\{ matrix\.\w+ \}\}$/;
  for (const [name, text] of workflows)
    for (const [, line = '', block = ''] of text.matchAll(/^ +(?:- )?run: ?(.*)\n((?: {10,}.*\n|\n)*)/gm)) {
      const script = /^[|>]/.test(line) ? block : line;
      for (const [expression] of script.matchAll(/\$\{\{.*?\}\}/g))
        assert.match(expression, own, `${name}: ${script}`);
    }
});

test('every npm script that a workflow runs is one of package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const [name, text] of workflows)
    for (const [, script = ''] of text.matchAll(/npm run (?:--prefix \S+ )?([\w:]+)/g))
      assert.ok(scripts[script], `${name}: ${script}`);
});

test('nothing is released that was not linted, tested and compiled, and what runs dependencies can neither sign nor write', () => {
  const checked = [
    'npm ci',
    'npm run lint',
    'npm run typecheck',
    'npm test',
    'npm run build',
    'npm run check -- --allow-placeholders',
    'npm run check:infra -- --required',
  ];
  const build = job('release.yml', 'build');
  for (const text of [job('check.yml', 'check'), build]) {
    for (const step of checked) assert.ok(text.includes(`- run: ${step}\n`), step);
    assert.deepEqual(permissionsOf(text), ['contents: read']);
  }
  isInOrder(build, [
    'npm run build',
    'npm pack ./dist/package',
    'npm run release -- --tag "$GITHUB_REF_NAME"',
    'upload-artifact@',
  ]);
  assert.doesNotMatch(read('release.yml') + read('promote.yml'), /^ +cache: /m);
  const attest = job('release.yml', 'attest');
  isInOrder(attest, [
    'download-artifact@',
    'sha256sum --check',
    'actions/attest@',
    'actions/attest@',
    'actions/attest@',
  ]);
  assert.doesNotMatch(attest, /checkout@|npm /);
  for (const app of ['issuer', 'rotator'])
    assert.match(
      attest,
      new RegExp(`subject-path: release/${app}\\.zip\\n +sbom-path: release/${app}\\.cdx\\.json`),
    );
});

test('a release goes from its build through dev to prod, and is no release before dev has run it', () => {
  const needs = [...jobsOf('release.yml')].map(
    ([name, text]) => `${/^ {4}needs: (.*)$/m.exec(text)?.[1]} > ${name}`,
  );
  assert.deepEqual(needs, [
    'undefined > build',
    'build > attest',
    'attest > publish',
    'publish > dev',
    'dev > tried',
    'tried > prod',
    'tried > npm',
  ]);
  assert.match(
    job('release.yml', 'publish'),
    /gh release create .*--verify-tag --prerelease .*--notes-file release\/notes\.md/,
  );
  assert.match(job('release.yml', 'tried'), /--prerelease=false/);
  assert.match(read('release.yml'), /^on:\n {2}push:\n {4}tags: \['v\*'\]\n/m);
  for (const environment of ['dev', 'prod'])
    assert.match(
      job('release.yml', environment),
      new RegExp(`uses: \\./\\.github/workflows/promote\\.yml\\n +with:\\n +environment: ${environment}\\n`),
    );
});

test('what is deployed is what was released: verified, and never built again', () => {
  const promote = job('promote.yml', 'promote');
  isInOrder(promote, [
    'gh release download',
    'sha256sum --check --strict SHA256SUMS',
    'gh attestation verify',
    '--signer-workflow "$GITHUB_REPOSITORY/.github/workflows/release.yml"',
    '--source-digest "$GITHUB_SHA"',
    'unzip',
    'isPrerelease',
    'azure/login@',
    'az bicep install',
    'azd -C infra provision',
    'for attempt in 1 2 3',
    '--from-package "$GITHUB_WORKSPACE/dist/release/$app.zip"',
    'npm run smoke',
  ]);
  assert.doesNotMatch(promote, /npm run build|azd -C infra (up|package)|deploy --all/);
  assert.match(promote, /^ {4}if: startsWith\(github\.ref, 'refs\/tags\/v'\)$/m);
  assert.match(promote, /^ {4}environment: \$\{\{ inputs\.environment \}\}$/m);
});

test('a pull request may have Azure read only: what it would change is asked with an identity of its own, and nothing of it is run', () => {
  const whatIf = job('check.yml', 'what-if');
  assert.match(whatIf, /head\.repo\.full_name == github\.repository/);
  assert.match(whatIf, /client-id: \$\{\{ vars\.AZURE_WHAT_IF_CLIENT_ID \}\}/);
  assert.match(
    whatIf,
    /for level in ProviderNoRbac Template; do\n.*\n.*deployment sub what-if .*\n.*--validation-level "\$level"/,
  );
  assert.doesNotMatch(whatIf, /npm |node |\.sh\b|environment: /);
});

test('Dependabot watches the packages and the actions, and CodeQL both languages of this repository', () => {
  const dependabot = readFileSync(join(root, '.github/dependabot.yml'), 'utf8');
  for (const ecosystem of ['npm', 'github-actions'])
    assert.match(
      dependabot,
      new RegExp(
        `package-ecosystem: ${ecosystem}\\n[\\s\\S]*?cooldown:\\n +default-days: 7\\n[\\s\\S]*?groups:`,
      ),
    );
  assert.match(read('codeql.yml'), /language: \[javascript-typescript, actions\]/);
});
