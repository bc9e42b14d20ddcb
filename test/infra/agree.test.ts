import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { directoryProblems, missingRoles, needlessAccounts, rotatedTwice } from '../../infra/agree.ts';
import { type Account, EnvironmentsError, parseEnvironments } from '../../infra/environments.ts';
import { loadPolicy } from '../../src/policy/load.ts';

const infra = join(import.meta.dirname, '../../infra');
const SPEECH = 'contoso-speech';
const IDENTITY = '00000000-0000-4000-8000-0000000000c1';
const PRINCIPAL = '00000000-0000-4000-8000-0000000000a1';
const text = { policy: readFileSync(join(infra, 'policy.json'), 'utf8') };
const prod = () =>
  parseEnvironments(readFileSync(join(infra, 'environments.json'), 'utf8')).get('prod') ?? assert.fail();

/** The committed policy with one resource changed, and the environment with one account changed. */
function missing(resource: object, account: Partial<Account>, environment: object = {}): string[] {
  const policy = JSON.parse(text.policy);
  Object.assign(policy.resources[0], resource);
  const accounts = prod().accounts.map((one) => (one.id.endsWith(SPEECH) ? { ...one, ...account } : one));
  return missingRoles(loadPolicy(JSON.stringify(policy)), { ...prod(), accounts, ...environment });
}

test('the policy that is deployed has every role it needs, and no account has roles for nothing', () => {
  const policy = loadPolicy(text.policy);
  assert.deepEqual(missingRoles(policy, prod()), []);
  assert.deepEqual(needlessAccounts(policy, prod()), []);
});

test('an account on which nobody has a role is reported', () => {
  const [problem, ...more] = missingRoles(loadPolicy(text.policy), { ...prod(), accounts: [] });
  assert.match(problem ?? '', /^speech: no role is given on its account .*contoso-speech/);
  assert.equal(more.length, 1);
});

test('an account is found whatever the case of its id', () => {
  assert.deepEqual(missing({}, { id: prod().accounts[0]?.id.toUpperCase() ?? '' }), []);
});

test('a rotated account without the rotator role is reported', () => {
  assert.match(missing({}, { rotated: false })[0] ?? '', /^speech: its keys are rotated/);
  assert.deepEqual(missing({ rotation: undefined }, { rotated: false }), []);
});

test('an account whose Entra tokens nobody could use is reported', () => {
  assert.match(missing({}, { grants: [] })[0] ?? '', /app registration .* needs the role speech or data/);
  assert.match(missing({}, { grants: [{ to: 'application', role: 'openai' }] })[0] ?? '', /needs the role/);
  assert.deepEqual(missing({}, { grants: [{ to: 'application', role: 'data' }] }), []);
});

test('a kind without a role of its own needs the custom data role', () => {
  const vision = { kind: 'ComputerVision' };
  assert.match(missing(vision, {})[0] ?? '', /needs the role data on/);
  assert.deepEqual(missing(vision, { grants: [{ to: 'application', role: 'data' }] }), []);
});

test('each identity that a resource names needs the role itself', () => {
  const system = { identity: { kind: 'systemAssigned' }, maxLifetime: '24h' };
  assert.match(missing(system, {})[0] ?? '', /the app's own identity needs/);
  assert.deepEqual(missing(system, { grants: [{ to: 'systemAssigned', role: 'speech' }] }), []);

  const user = { identity: { kind: 'userAssigned', clientId: IDENTITY }, maxLifetime: '24h' };
  assert.match(missing(user, {})[0] ?? '', /the app does not carry its identity/);
  const identities = [
    {
      id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i',
      clientId: IDENTITY,
      principalId: PRINCIPAL,
    },
  ];
  assert.match(missing(user, {}, { identities })[0] ?? '', /principal 00000000.* needs the role/);
  const grants: Account['grants'] = [{ to: 'userAssigned', role: 'speech', principalId: PRINCIPAL }];
  assert.deepEqual(missing(user, { grants }, { identities }), []);
});

test('on behalf of needs a group of people with the role', () => {
  const people = { tokenKinds: ['sts', 'obo'] };
  assert.match(missing(people, {})[0] ?? '', /a group of the people it acts for/);
});

test('a misspelled kind is named as such, and no role is said to be missing', () => {
  assert.deepEqual(missing({ kind: 'SpeechService' }, {}), [
    'speech: the kind "SpeechService" is not known; did you mean "SpeechServices"?',
  ]);
});

test('the issuer app may read the directory where there is a transmitter, and only there', () => {
  const transmitter = {
    name: 'idp',
    issuer: 'https://idp.example',
    jwksUri: 'https://idp.example/keys',
    audience: 'https://broker.example',
    tenants: ['home'],
  };
  const problems = (transmitters: object[], issuerReadsDirectory: boolean): string[] =>
    directoryProblems(loadPolicy(JSON.stringify({ ...JSON.parse(text.policy), transmitters })), {
      ...prod(),
      issuerReadsDirectory,
    });
  assert.deepEqual(problems([], false), []);
  assert.deepEqual(problems([transmitter], true), []);
  assert.match(problems([transmitter], false)[0] ?? '', /must be true/);
  assert.match(problems([], true)[0] ?? '', /must be false/);
});

test('an account whose keys two environments rotate is reported', () => {
  const twice = rotatedTwice(
    new Map([
      ['one', prod()],
      ['two', prod()],
    ]),
  );
  assert.equal(twice.length, 1);
  assert.match(twice[0] ?? '', /^two: one rotates the keys of .*contoso-speech/);
});

test('a wrong entry of environments.json is named by its path', () => {
  const entry = { ...prod(), maximumInstances: 10, sizes: 3 };
  assert.throws(
    () => parseEnvironments(JSON.stringify({ prod: entry })),
    (error) =>
      error instanceof EnvironmentsError &&
      /prod\.maximumInstances/.test(error.message) &&
      /sizes/.test(error.message),
  );
});

test('a name that would not do for a vault, and an origin that no browser sends, are named', () => {
  const problems = (name: string, change: object): string => {
    try {
      parseEnvironments(JSON.stringify({ [name]: { ...prod(), ...change } }));
    } catch (error) {
      return error instanceof EnvironmentsError ? error.message : assert.fail();
    }
    return '';
  };
  for (const name of ['de', 'prod-weu', 'abcdefghijkl']) assert.equal(problems(name, {}), '');
  for (const name of ['p', 'Prod', '1st', 'prod-', 'prod--weu', 'prod_weu', 'abcdefghijklm'])
    assert.notEqual(problems(name, {}), '', name);
  for (const origin of ['https://app.example/', 'https://app.example/path', '*', 'app.example'])
    assert.match(problems('prod', { corsOrigins: [origin] }), /corsOrigins\.0/, origin);
  assert.equal(problems('prod', { corsOrigins: ['https://app.example', 'http://localhost:3000'] }), '');
  for (const url of ['https://broker.example/v1', 'http://broker.example'])
    assert.match(problems('prod', { publicUrl: url }), /publicUrl/, url);
  assert.equal(problems('prod', { publicUrl: 'https://broker.example' }), '');
});

test('npm run check says what is wrong and fails', () => {
  const folder = mkdtempSync(join(tmpdir(), 'check-'));
  const policy = join(folder, 'policy.json');
  const run = (...options: string[]) =>
    spawnSync(process.execPath, [join(infra, 'check.ts'), ...options], { encoding: 'utf8' });
  try {
    writeFileSync(policy, text.policy.replaceAll(SPEECH, 'another-speech'));
    const disagreed = run('--policy', policy);
    assert.equal(disagreed.status, 1);
    assert.match(disagreed.stderr, /prod: speech: no role is given on its account .*another-speech/);
    assert.doesNotMatch(disagreed.stderr, /dev: /);
    assert.match(disagreed.stderr, /prod: note: roles are given on .*contoso-speech/);

    writeFileSync(policy, text.policy.replace('"sts"', '"sms"'));
    const invalid = run('--policy', policy);
    assert.equal(invalid.status, 1);
    assert.match(invalid.stderr, /resources\[0\] \(speech\)\.tokenKinds/);

    const without = JSON.parse(text.policy) as { grants: { name: string }[] };
    without.grants = without.grants.slice(1);
    writeFileSync(policy, JSON.stringify(without));
    const against = run('--policy', policy, '--against', join(infra, 'policy.json'), '--environment', 'prod');
    assert.match(against.stdout, /^prod: callers with tenant .* may no longer have sts tokens for speech/m);
    assert.doesNotMatch(against.stdout, /may now have/);

    const mistyped = run('--policy', join(folder, 'polcy.json'));
    assert.equal(mistyped.status, 1);
    assert.match(mistyped.stderr, /^ENOENT.*polcy\.json'\n$/);

    const shipped = run();
    assert.equal(shipped.status, 1);
    assert.match(
      shipped.stderr,
      /^prod: policy resources\[0\] \(speech\)\.accountId: 00000000-[-0-9]+ is a placeholder; write your own$/m,
    );
    assert.match(shipped.stderr, /^prod: environment accounts\[0\]\.id: 00000000-/m);
    assert.match(shipped.stderr, /^dev: warning: alertEmails is empty/m);
    assert.doesNotMatch(shipped.stderr, /^prod: warning: alertEmails/m);

    const agreed = run('--allow-placeholders');
    assert.equal(agreed.status, 0);
    assert.match(agreed.stdout, /dev: .*\nprod: /);

    for (const name of ['policy.json', 'policy.dev.json', 'environments.json'])
      writeFileSync(
        join(folder, name),
        readFileSync(join(infra, name), 'utf8').replaceAll(
          '00000000-0000-4000-8000-00000000',
          '5d0b0c5e-6f0c-4f0e-9a55-0c1e6a1d',
        ),
      );
    assert.equal(run('--environments', join(folder, 'environments.json')).status, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
