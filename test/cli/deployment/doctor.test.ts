/** The doctor of a deployment says nothing of a sound one, and names each thing that is planted, and only that. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Api } from '../../../src/cli/api.ts';
import { azureReader } from '../../../src/cli/deployment/azure-reader.ts';
import type { Check } from '../../../src/cli/deployment/check.ts';
import { cloudOf, placeOf } from '../../../src/cli/deployment/cloud.ts';
import { examineWith } from '../../../src/cli/deployment/examine.ts';
import { covers } from '../../../src/cli/deployment/role-cover.ts';
import { CommandFailure } from '../../../src/cli/failure.ts';
import { SHAPES } from '../../../src/cli/schemas.ts';
import { DEPLOYED_ALERTS } from '../../../src/deployed-names.ts';
import { compact, versionOf } from '../../../src/policy/version.ts';
import {
  ACCOUNT_SUBSCRIPTION,
  type Answers,
  ARM,
  assignment,
  definition,
  fakeFetch,
  GRAPH,
  ids,
  NOW,
  paths,
  roleDefinitionId,
  roleId,
  SECRET,
  SUBSCRIPTION,
  soundDeployment,
} from './fake-azure.ts';

const policyFile = join(import.meta.dirname, '../../../infra/policy.dev.json');
const policy: unknown = JSON.parse(readFileSync(policyFile, 'utf8'));

interface Broker {
  version?: string;
  events?: readonly { readonly kind: string; readonly at: string }[];
}
const apiOf = ({ version = versionOf(compact(policy)), events = [] }: Broker): Api => ({
  get: async <Answer>() => ({ version, policy }) as Answer,
  all: async <Item>() => events as unknown as readonly Item[],
  lines: () => assert.fail('nothing is exported'),
  act: () => assert.fail('nothing is changed'),
  publish: () => assert.fail('nothing is changed'),
  ask: () => assert.fail('nothing else is asked'),
});

async function examine(
  answers: Answers,
  {
    api = apiOf({}),
    asked = [],
    token = async () => 'a token',
  }: { api?: Api | undefined; asked?: string[]; token?: () => Promise<string> } = {},
): Promise<readonly Check[]> {
  const world = { fetch: fakeFetch(answers, asked), signal: new AbortController().signal };
  const reader = (base: string) => azureReader(world, base, token, async () => undefined);
  return examineWith({
    arm: reader(ARM),
    graph: reader(GRAPH),
    place: { subscription: SUBSCRIPTION, group: 'rg-broker-dev' },
    cloud: cloudOf({}),
    api,
    noApi: 'the broker is not named',
    policyFile,
    nowMs: NOW,
  });
}
const wrong = (checks: readonly Check[]): string[] =>
  checks.filter(({ fine }) => !fine).map(({ check, says }) => `${check}: ${says}`);

/** Changes what one path answers. */
function change(answers: Answers, path: string, how: (text: string) => string): void {
  const before = JSON.stringify(answers.get(path) ?? assert.fail(path));
  const text = how(before);
  assert.notEqual(text, before, 'nothing was planted');
  answers.set(path, JSON.parse(text));
}
const replace = (path: string, from: string, to: string) => (answers: Answers) =>
  change(answers, path, (text) => text.replace(from, to));
const add = (path: string, item: object) => (answers: Answers) =>
  change(answers, path, (text) => text.replace('"value":[', `"value":[${JSON.stringify(item)},`));
const remove = (path: string, isIt: (text: string) => boolean) => (answers: Answers) => {
  const { value } = answers.get(path) as { value: readonly unknown[] };
  const rest = value.filter((item) => !isIt(JSON.stringify(item)));
  assert.equal(rest.length, value.length - 1);
  answers.set(path, { value: rest });
};

const CONTRIBUTOR = 'b24988ac-6180-42a0-ab88-20f7382dd24c';
const PLANTED: Readonly<Record<string, readonly [(answers: Answers) => void, ...RegExp[]]>> = {
  'a setting that is missing': [
    replace(paths.settings('issuer'), '"BROKER_TABLES_URL"', '"TABLES_URL"'),
    /^settings of issuer: BROKER_TABLES_URL: is not set$/,
  ],
  'a setting that nobody knows': [
    replace(
      paths.settings('rotator'),
      '"properties":{',
      '"properties":{"BROKER_ROTATON_SCHEDULE":"0 0 * * * *",',
    ),
    /^settings of rotator: BROKER_ROTATON_SCHEDULE: no version of this app knows it$/,
  ],
  'a setting of a wrong form': [
    replace(paths.settings('issuer'), '"https://brk-dev-abc.vault.azure.net/"', `"http://${SECRET}/"`),
    /^settings of issuer: BROKER_KEY_VAULT_URL: must be https/,
  ],
  "a setting of the other app's": [
    replace(paths.settings('issuer'), '"properties":{', '"properties":{"BROKER_AUDIT_DAYS":"90",'),
    /^settings of issuer: BROKER_AUDIT_DAYS: is a setting of the rotator app/,
  ],
  'a connection string': [
    replace(paths.settings('issuer'), '"properties":{', `"properties":{"AzureWebJobsStorage":"${SECRET}",`),
    /^settings of issuer: AzureWebJobsStorage: is a connection string/,
  ],
  'an identity with too few roles': [
    remove(paths.assignments('rotator'), (text) => text.includes('/tables/ledger')),
    /^roles of rotator: too few: rotator lacks "AI token broker row sweeper" at tables\/ledger/,
  ],
  'a rotator without its role on an account': [
    (answers) => answers.set(paths.assignments('rotator', ACCOUNT_SUBSCRIPTION), { value: [] }),
    /^roles of rotator: too few: rotator lacks "AI token broker rotator" at accounts\/contoso-dev-speech/,
  ],
  'an identity with too many roles': [
    (answers) => {
      answers.set(
        roleDefinitionId(CONTRIBUTOR),
        definition(CONTRIBUTOR, 'Contributor', { actions: ['*'], dataActions: [] }),
      );
      add(
        paths.assignments('issuer'),
        assignment(roleDefinitionId(CONTRIBUTOR), `/subscriptions/${SUBSCRIPTION}`),
      )(answers);
    },
    /^roles of issuer: too many: issuer holds "Contributor" at subscriptions\//,
  ],
  'a role at the wrong place': [
    add(
      paths.assignments('issuer'),
      assignment(roleId('AI token broker row writer'), `${ids.state}/tableServices/default/tables/audit`),
    ),
    /^roles of issuer: too many: issuer holds "AI token broker row writer \(dev abc123\)" at tables\/audit \(update\/action\)|\(entities\/update/,
  ],
  'a custom role that was widened': [
    replace(
      roleId('AI token broker current secret reader'),
      '"dataActions":[',
      '"dataActions":["Microsoft.KeyVault/vaults/secrets/setSecret/action",',
    ),
    /^roles of issuer: too many: .*current secret reader.* at vaults\/brk-dev-abc \(setSecret\/action\)$/,
  ],
  'a vault with access policies': [
    replace(ids.vault, '"enableRbacAuthorization":true', '"enableRbacAuthorization":false'),
    /^vault: brk-dev-abc gives access by access policies/,
  ],
  'a vault that can be purged': [
    replace(ids.vault, '"enablePurgeProtection":true,', ''),
    /^vault: brk-dev-abc can be purged/,
  ],
  'a vault and storage that are public in a private deployment': [
    replace(
      ids.site('issuer'),
      '"virtualNetworkSubnetId":null',
      '"virtualNetworkSubnetId":"/subscriptions/x/subnets/issuer"',
    ),
    /^vault: brk-dev-abc can be reached from public networks/,
    /^storage: brkdevabc can be reached/,
    /^storage: brkidevabc can be reached/,
    /^storage: brkrdevabc can be reached/,
  ],
  'storage with keys': [
    replace(ids.host('rotator'), '"allowSharedKeyAccess":false,', ''),
    /^storage: brkrdevabc can be used with its keys$/,
  ],
  'storage over http': [
    replace(ids.state, '"supportsHttpsTrafficOnly":true', '"supportsHttpsTrafficOnly":false'),
    /^storage: brkdevabc answers over http too$/,
  ],
  'a timer that is disabled': [
    (answers) =>
      change(answers, paths.functions('rotator'), (text) =>
        text.replace('"name":"rotate","isDisabled":false', '"name":"rotate","isDisabled":true'),
      ),
    /^functions of rotator: the timer rotate is disabled$/,
  ],
  'a timer that is missing': [
    remove(paths.functions('rotator'), (text) => text.includes('"name":"close"')),
    /^functions of rotator: the timer close is missing$/,
  ],
  'an event subscription that is missing': [
    remove(`${ids.topic}/eventSubscriptions`, (text) => text.includes('"name":"issuer"')),
    /^events: the event subscription issuer of broker-dev-abc123 is missing$/,
  ],
  'an event subscription that is not alive': [
    replace(`${ids.vaultTopic}/eventSubscriptions`, '"Succeeded"', '"Failed"'),
    /^events: the event subscription rotator of broker-dev-vault is Failed$/,
  ],
  'an event subscription that delivers elsewhere': [
    replace(`${ids.vaultTopic}/eventSubscriptions`, '"queueName":"events"', '"queueName":"demands"'),
    /^events: the event subscription rotator of broker-dev-vault does not deliver to the queue events$/,
  ],
  'a topic with access keys': [
    replace(ids.topic, '"disableLocalAuth":true', '"disableLocalAuth":false'),
    /^events: whoever has an access key of the topic broker-dev-abc123/,
  ],
  'dead letters': [
    replace(`${ids.vaultTopic}/providers/Microsoft.Insights/metrics`, '"total":0', '"total":3'),
    /^dead letters: 3 events of broker-dev-vault were given up/,
  ],
  'an alert rule that is missing': [
    remove(paths.logAlerts, (text) => text.includes('broker-dev-rotation-overdue')),
    /^log alerts: the alert rule broker-dev-rotation-overdue is missing$/,
  ],
  'an alert rule that is disabled': [
    replace(paths.metricAlerts, '"enabled":true', '"enabled":false'),
    /^alerts: the alert rule broker-dev-health is disabled$/,
  ],
  'two apps of two versions': [
    replace(paths.deployments('rotator'), '2026-11-20T10', '2026-11-22T10'),
    /^versions: the issuer app was deployed 48 h before the other/,
  ],
  'a deployment that failed': [
    add(paths.deployments('issuer'), {
      properties: { status: 3, active: false, end_time: '2026-11-26T10:00:00Z' },
    }),
    /^versions: the last deployment of the issuer app failed/,
  ],
  'an app role that is missing': [
    replace(ids.application, '"Broker.Auditor"', '"Broker.Audit"'),
    /^Entra: the app role Broker.Auditor is missing or disabled$/,
  ],
  'tokens of version 1': [
    replace(ids.application, '"requestedAccessTokenVersion":2', '"requestedAccessTokenVersion":null'),
    /^Entra: its tokens are of version 1/,
  ],
  'a redirect to somebody else': [
    replace(ids.application, 'https://broker.example.com/console', 'https://broker.example.org/console'),
    /^Entra: it redirects to https:\/\/broker.example.org\/console/,
  ],
  'a registration with a secret': [
    replace(ids.application, '"passwordCredentials":[]', '"passwordCredentials":[{"hint":"abc"}]'),
    /^Entra: it has 1 secrets or certificates/,
  ],
  'a registration that trusts nobody': [
    (answers) => answers.set(`${ids.application}/federatedIdentityCredentials`, { value: [] }),
    /^federation: the registration does not trust the identity of the issuer app/,
  ],
  'a registration that trusts somebody else too': [
    add(`${ids.application}/federatedIdentityCredentials`, {
      name: 'pipeline',
      issuer: 'https://token.actions.githubusercontent.com',
      subject: 'repo:contoso/broker:ref:refs/heads/main',
      audiences: ['api://AzureADTokenExchange'],
    }),
    /^federation: the registration trusts somebody else too: pipeline/,
  ],
  'an identity on the rotator app that is not its own': [
    (answers) =>
      change(answers, ids.site('rotator'), (text) =>
        text.replace(
          '"userAssignedIdentities":{',
          '"userAssignedIdentities":{"/x/other":{"principalId":"p","clientId":"c"},',
        ),
      ),
    /^rotator: .* carries an identity that is not the rotator's: other$/,
  ],
};

test('a sound deployment has no finding and nothing that could not be looked at, and nothing is changed', async () => {
  const asked: string[] = [];
  const checks = await examine(soundDeployment(), { asked });
  assert.deepEqual(wrong(checks), []);
  assert.deepEqual(
    checks.filter(({ skipped }) => skipped).map(({ says }) => says),
    [],
  );
  assert.ok(checks.length >= 18);
  SHAPES['doctor']?.parse({ checks });
  // Azure lists the settings by a POST, and that is the only one.
  for (const request of asked) assert.match(request, /^(GET |POST .*\/config\/appsettings\/list$)/);
});

for (const [name, [plant, ...says]] of Object.entries(PLANTED))
  test(`${name} is named, with what to do, and nothing else is`, async () => {
    const answers = soundDeployment();
    plant(answers);
    const checks = await examine(answers);
    const found = wrong(checks);
    assert.equal(found.length, says.length, found.join('\n'));
    for (const [at, pattern] of says.entries()) assert.match(found[at] ?? '', pattern);
    for (const { fine, todo } of checks) assert.ok(fine || (todo ?? '') !== '');
    assert.ok(!JSON.stringify(checks).includes(SECRET.slice(0, 20)));
    SHAPES['doctor']?.parse({ checks });
  });

test('a policy in force that is not the one of the file is named, as are messages that could not be used', async () => {
  const events = [
    { kind: 'poison', at: '2026-11-26T12:00:00Z' },
    { kind: 'poison', at: '2026-11-01T12:00:00Z' },
    { kind: 'effect', at: '2026-11-26T12:00:00Z' },
  ];
  const found = wrong(await examine(soundDeployment(), { api: apiOf({ version: 'f'.repeat(64), events }) }));
  assert.match(
    found.join('\n'),
    /^policy: ffffffffffff is in force, and the file is [0-9a-f]{12}\npoison: 1 messages/,
  );
});

test('what the reader may not see is said and is no failure', async () => {
  const sound = soundDeployment();
  const shown: readonly string[] = [paths.resources];
  for (const path of sound.keys()) {
    if (shown.includes(path)) continue;
    const answers = soundDeployment();
    answers.set(path, 403);
    const checks = await examine(answers);
    assert.deepEqual(wrong(checks), [], path);
    const skipped = checks.filter((check) => check.skipped);
    assert.match(skipped.map(({ says }) => says).join('\n'), /you may not read/, path);
  }
});

test('an outage, an answer of another form and a missing broker are said and are no findings', async () => {
  for (const answer of [503, 429, { nothing: true }, 404]) {
    const answers = soundDeployment();
    answers.set(ids.vault, answer);
    answers.set(paths.logAlerts, answer);
    const checks = await examine(answers);
    assert.deepEqual(wrong(checks), []);
    assert.match(
      checks
        .filter(({ skipped }) => skipped)
        .map(({ says }) => says)
        .join('\n'),
      /the vault brk-dev-abc: (Azure answers (503|429)|the answer is not|not found)[\s\S]*the log alerts: /,
    );
  }
  const alone = await examine(soundDeployment(), { api: undefined });
  assert.deepEqual(wrong(alone), []);
});

test('a group that cannot be listed, and somebody who is not signed in, end with what to do', async () => {
  const answers = soundDeployment();
  answers.set(paths.resources, 403);
  const notSignedIn = async () => {
    throw new CommandFailure('notAllowed', 'You are not signed in.', 'az login');
  };
  for (const checks of [await examine(answers), await examine(soundDeployment(), { token: notSignedIn })]) {
    assert.equal(checks.length, 1);
    assert.match(checks[0]?.todo ?? '', /^az login/);
  }
});

test('a deployment is named by two options or by what azd sets, and not by half of them', () => {
  const place = { subscription: SUBSCRIPTION, group: 'rg-broker-dev' };
  const azd = { AZURE_SUBSCRIPTION_ID: SUBSCRIPTION, AZURE_RESOURCE_GROUP: 'rg-broker-dev' };
  assert.deepEqual(placeOf({}, place), place);
  assert.deepEqual(placeOf(azd, {}), place);
  assert.deepEqual(placeOf(azd, { group: 'rg-other' }), { ...place, group: 'rg-other' });
  assert.equal(placeOf(azd, { as: 'auditor' }), undefined);
  assert.equal(placeOf({ AZURE_SUBSCRIPTION_ID: SUBSCRIPTION }, {}), undefined);
  for (const half of [{ group: 'rg-broker-dev' }, { subscription: 'mine', group: 'rg-broker-dev' }])
    assert.throws(() => placeOf({}, half), CommandFailure);
});

test('a permission is covered by a pattern as Azure reads it', () => {
  assert.ok(
    covers('*', 'Microsoft.Web/sites/read') && covers('Microsoft.Web/*/read', 'microsoft.web/sites/READ'),
  );
  assert.ok(covers('a/*', 'a/*') && covers('a/b', 'A/B'));
  assert.ok(
    !covers('a/b', 'a/*') && !covers('a/*/c', 'a/b') && !covers('a/b', 'a/b/c') && !covers('a*a', 'a'),
  );
});

test('the list of alert rules is the one of infra/alerts.json', () => {
  const file = join(import.meta.dirname, '../../../infra/alerts.json');
  const rules = JSON.parse(readFileSync(file, 'utf8')) as { name: string }[];
  assert.deepEqual(
    DEPLOYED_ALERTS,
    rules.map(({ name }) => name),
  );
});
