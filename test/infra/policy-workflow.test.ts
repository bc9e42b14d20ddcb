/** The two steps of .github/workflows/policy.yml, as they are written there, against the local mode. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type PolicyHand, type PolicySource, policyHand } from '../flows/policy-hand.ts';
import { NO_TIMER } from '../flows/rotation-hand.ts';
import { type Stack, startStack } from '../flows/stack.ts';

const root = join(import.meta.dirname, '../..');
const workflow = readFileSync(join(root, '.github/workflows/policy.yml'), 'utf8');

/** The script of the step that has this text, as a shell gets it. */
function scriptWith(text: string): string {
  for (const [, style, lines = ''] of workflow.matchAll(/^ {8}run: (\||>-)\n((?: {10}.*\n)+)/gm)) {
    if (!lines.includes(text)) continue;
    const plain = lines.replaceAll(/^ {10}/gm, '');
    return style === '|' ? plain : plain.replaceAll('\n', ' ');
  }
  return assert.fail(`no step has ${text}`);
}

const workspace = mkdtempSync(join(tmpdir(), 'policy-workflow-'));
const clone = join(workspace, 'policy');
const file = join(clone, 'infra/policy.json');
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
    cwd: clone,
    encoding: 'utf8',
  }).trim();
function commit(policy: PolicySource, subject: string): string {
  writeFileSync(file, JSON.stringify(policy, undefined, 2));
  git('add', '.');
  git('commit', '--quiet', '--message', subject);
  return git('rev-parse', 'HEAD');
}

let stack: Stack;
let hand: PolicyHand;
before(async () => {
  stack = await startStack(['--instances', '2'], NO_TIMER);
  await stack.warm();
  hand = await policyHand(stack);
  mkdirSync(join(clone, 'infra'), { recursive: true });
  git('init', '--quiet', '--initial-branch', 'main');
  symlinkSync(root, join(workspace, 'broker'));
  mkdirSync(join(workspace, 'bin'));
  const az = join(workspace, 'bin/az');
  writeFileSync(
    az,
    `#!/bin/sh\n[ "$*" = "account get-access-token --resource api://client --query accessToken --output tsv" ] && echo "$TOKEN"\n`,
  );
  chmodSync(az, 0o755);
});
after(async () => {
  await stack[Symbol.asyncDispose]();
  rmSync(workspace, { recursive: true, force: true });
});

interface Ran {
  readonly status: number;
  readonly said: string;
}
async function run(script: string, more: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const env = {
    ...process.env,
    PATH: `${join(workspace, 'bin')}${delimiter}${process.env['PATH']}`,
    GITHUB_WORKSPACE: workspace,
    GITHUB_OUTPUT: join(workspace, 'output'),
    GITHUB_SHA: git('rev-parse', 'HEAD'),
    POLICY_FILE: 'infra/policy.json',
    ENVIRONMENTS_FILE: 'infra/environments.json',
    BROKER_ENVIRONMENT: 'prod',
    AZURE_TENANT_ID: '',
    ...more,
  };
  return new Promise((resolve) => {
    execFile('bash', ['-e', '-c', script], { cwd: workspace, env }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, said: `${stdout}${stderr}` });
    });
  });
}
const comment = () => readFileSync(join(workspace, 'comment.md'), 'utf8');
const check = async (): Promise<Ran> => {
  await run(scriptWith('changed=yes'));
  return run(scriptWith('policy:check'));
};
const apply = async (more: Readonly<Record<string, string>> = {}): Promise<Ran> => {
  const TOKEN = await stack.callerToken('publisher');
  const ran = await run(scriptWith('policy:apply'), {
    TOKEN,
    BROKER_URL: stack.description.broker,
    BROKER_CLIENT_ID: 'client',
    CONFIRM: '',
    REPLACE: '',
    ...more,
  });
  // The line that tells GitHub what it must not show.
  assert.ok(!ran.said.replace(`::add-mask::${TOKEN}`, '').includes(TOKEN));
  return ran;
};
const without = (policy: PolicySource, name: string): PolicySource => ({
  ...policy,
  grants: policy.grants.filter((grant) => grant.name !== name),
});
const statuses = async (): Promise<number[]> => {
  const token = await stack.callerToken('translations');
  const answers = stack.description.instances.map((broker) =>
    stack.exchange(token, 'translator', {}, broker),
  );
  return (await Promise.all(answers)).map(({ status }) => status);
};

test('a change is told on its pull request, and in force on every instance after its merge', async () => {
  const { policy, version: first } = await hand.read();
  commit(policy, 'The policy as it was deployed');
  assert.deepEqual(await statuses(), [200, 200]);
  const merged = commit(without(policy, 'translations'), 'Nobody translates any more');

  const checked = await check();
  assert.equal(checked.status, 0, checked.said);
  assert.match(readFileSync(join(workspace, 'output'), 'utf8'), /^changed=yes$/m);
  assert.match(comment(), /may no longer have sts tokens for translator/);
  assert.deepEqual(await statuses(), [200, 200], 'a check changes nothing');

  const CONFIRM = 'many-callers-touched';
  const refused = await apply();
  assert.equal(refused.status, 1, refused.said);
  assert.match(refused.said, new RegExp(`confirm: ${CONFIRM}`));
  const applied = await apply({ CONFIRM });
  assert.equal(applied.status, 0, applied.said);
  assert.match(applied.said, /may no longer have sts tokens for translator/);
  assert.deepEqual(await statuses(), [400, 400]);
  const { body } = { body: (await hand.read()) as unknown as Record<string, unknown> };
  assert.equal(body['commit'], merged);
  assert.equal(body['reason'], 'Nobody translates any more');

  const again = await apply();
  assert.equal(again.status, 0, again.said);
  assert.match(again.said, /was in force already/);

  // An emergency: what an operator went back to is not undone by the next merge.
  assert.equal((await hand.rollBack(first)).status, 200);
  commit(without(without(policy, 'translations'), 'nightly'), 'No nights either');
  const held = await apply({ CONFIRM });
  assert.equal(held.status, 1, held.said);
  assert.match(
    held.said,
    /did not come from this repository[\s\S]*rolled back by[\s\S]*replace: [0-9a-f]{12}/,
  );
  assert.equal((await hand.read()).version, first);
  const named = await apply({ CONFIRM, REPLACE: first.slice(0, 12) });
  assert.equal(named.status, 0, named.said);
  assert.deepEqual(await statuses(), [400, 400]);
});

test('a policy that the broker would refuse fails the check, with every problem in the comment', async () => {
  const { policy, version } = await hand.read();
  commit({ ...policy, grants: policy.grants.map((grant) => ({ ...grant, resources: ['nothing'] })) }, 'x');
  const checked = await check();
  assert.equal(checked.status, 1);
  assert.match(comment(), /cannot come into force[\s\S]*"nothing"/);
  const applied = await apply();
  assert.equal(applied.status, 1);
  assert.match(applied.said, /"nothing"/);
  assert.equal((await hand.read()).version, version);
});

test('a pull request gets no identity in Azure, and its code is not run beside the right to comment', () => {
  const [check = '', apply = ''] = workflow.split(/^ {2}apply:$/m);
  assert.doesNotMatch(check, /id-token|BROKER_TOKEN/);
  assert.match(check, /ref: \$\{\{ vars\.BROKER_REF \|\| github\.event\.pull_request\.base\.sha \}\}/);
  for (const [, place] of check.matchAll(/npm (?:ci|run) --prefix (\S+)/g)) assert.equal(place, 'broker');
  assert.match(apply, /if: github\.event_name != 'pull_request' && github\.ref == 'refs\/heads\/main'/);
  // What an event or a person says comes in as a variable and is never a part of a script.
  for (const [, , lines = ''] of workflow.matchAll(/^ {8}run: (\||>-)\n((?: {10}.*\n)+)/gm))
    assert.doesNotMatch(lines, /\$\{\{/);
});
