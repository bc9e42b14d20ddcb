/** The shell around azd, with an Azure CLI and an azd that only write down what they were asked. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { infra } from './bicep-syntax.ts';

/** A blank, as in many a home folder. */
const folder = mkdtempSync(join(tmpdir(), 'hooks of '));
after(() => rmSync(folder, { recursive: true }));
const bin = join(folder, 'bin');
const asked = join(folder, 'asked');
const kept = join(folder, 'kept');
for (const made of ['bin', 'infra']) mkdirSync(join(folder, made));
mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
for (const file of ['hooks.sh', 'app-registration.sh', 'environments.json'])
  cpSync(join(infra, file), join(folder, 'infra', file));

const note = `printf '%s' "\${0##*/}" >>"$ASKED"; printf ' [%s]' "$@" >>"$ASKED"; echo >>"$ASKED"\n`;
/** What was made is a file, and listed the next time. */
const az = `case "$*" in
  *microsoftGraphResourceId*) echo https://graph.example/ ;;
  *endpoints.activeDirectory*) echo https://login.example/ ;;
  "cloud show --query name"*) echo "\${CLOUD:-AzureCloud}" ;;
  "account show --subscription"*) echo "\${TENANT:-tenant}" ;;
  "account show"*) echo tenant ;;
  "provider show"*) [ -e "$MADE-provider" ] && echo Registered || echo NotRegistered ;;
  "provider register"*) touch "$MADE-provider" ;;
  "keyvault list-deleted"*) echo "\${DELETED_VAULT:-}" ;;
  "eventgrid system-topic list"*) printf '%b' "\${TOPICS:-}" ;;
  "role assignment list"*) echo "\${GIVEN:-2020-01-01T00:00:00.000000+00:00}" ;;
  "functionapp function list"*) printf '%b' "\${DEPLOYED:-app/two\\napp/one\\n}" ;;
  "ad app list"*) echo "\${FOUND:-}" ;;
  "ad app create"*) touch "$MADE-app"; echo client ;;
  "ad app show"*) [ -z "\${DENY:-}" ] || exit 1; echo object ;;
  "ad app permission list"*) [ ! -e "$MADE-permission" ] || echo impersonation ;;
  "ad app permission add"*) touch "$MADE-permission" ;;
  *"id eq 'gone'"*) ;;
  *"id eq 'unknown'"*) exit 1 ;;
  *"appId eq 'client'"*) [ ! -e "$MADE-principal" ] || echo principal ;;
  "ad sp list"*) echo impersonation ;;
  "ad sp create"*) touch "$MADE-principal"; echo principal ;;
  "ad sp show"*) echo role ;;
  "ad app federated-credential list"*starts_with*) printf '%b' "\${TRUSTED:-}" ;;
  "deployment sub create"*) printf "deploys\\nasks\\n" ;;
  "storage account list"*) [ -z "\${DENY:-}" ] || exit 1; printf '%b' "\${STORAGE-storage\\n}" ;;
  "storage container-rm list"*) [ -z "\${PROOF:-}" ] || echo proof ;;
  "storage container immutability-policy show"*) [ "$PROOF" != unread ] || exit 1; printf '%b' "$PROOF" ;;
  "ad app federated-credential list"*) [ ! -e "$MADE-trust" ] || echo trust ;;
  "ad app federated-credential create"*) touch "$MADE-trust" ;;
  *"select=api"*) echo '[{"appId":"azure-cli","delegatedPermissionIds":["one"]}]' ;;
  "rest --method POST"*"/v1.0/applications "*) echo console ;;
  "rest --method GET"*) echo "\${HELD:-}" ;;
  "rest --method POST"*) [ -z "\${DENY:-}" ] || exit 1 ;;
esac
`;
for (const [name, does] of [
  ['az', az],
  ['azd', '[ "$1 $2" != "env set" ] || printf "%s=%s\\n" "$3" "$4" >>"$KEPT"\n'],
  ['npm', '[ "$*" != "$FAILS" ]\n'],
  ['curl', ''],
  ['sleep', ''],
])
  writeFileSync(join(bin, name ?? ''), `#!/usr/bin/env bash\n${note}${does}`, { mode: 0o755 });
writeFileSync(join(folder, 'node_modules/.bin/node'), '#!/usr/bin/env bash\nprintf "one\\ntwo\\n"\n', {
  mode: 0o755,
});

/** What azd keeps of main.bicep's outputs. */
const OUTPUTS = {
  AZURE_RESOURCE_GROUP: 'a group',
  BROKER_ISSUER_PRINCIPAL_ID: 'issuer',
  BROKER_ROTATOR_PRINCIPAL_ID: 'rotator',
  BROKER_ISSUER_READS_DIRECTORY: 'false',
  BROKER_PACKAGE_STORAGE_IDS: '/one /two',
  BROKER_URL: 'https://broker.example',
  BROKER_ISSUER_APP_NAME: 'issuer-app',
  BROKER_ROTATOR_APP_NAME: 'rotator-app',
  BROKER_STORAGE_ID: '/storage',
  BROKER_DEAD_LETTERS_NAME: 'letters',
  BROKER_TOPIC_NAME: 'topic',
  BROKER_VAULT_TOPIC_NAME: 'vault-topic',
};

interface Ran {
  readonly status: number | null;
  readonly asked: string;
  readonly said: string;
  /** What `azd env set` was given. */
  readonly kept: Record<string, string>;
}

function hook(step: string, variables: Record<string, string> = {}): Ran {
  writeFileSync(asked, '');
  writeFileSync(kept, '');
  const { status, stderr } = spawnSync('bash', [join(folder, 'infra/hooks.sh'), step], {
    encoding: 'utf8',
    env: {
      PATH: `${bin}:${process.env['PATH']}`,
      ASKED: asked,
      KEPT: kept,
      MADE: join(folder, 'made'),
      FAILS: '',
      AZURE_ENV_NAME: 'dev',
      AZURE_LOCATION: 'westeurope',
      AZURE_SUBSCRIPTION_ID: 'subscription',
      ...variables,
    },
  });
  const lines = readFileSync(kept, 'utf8').split('\n').filter(Boolean);
  return {
    status,
    asked: readFileSync(asked, 'utf8'),
    said: stderr,
    kept: Object.fromEntries(lines.map((line) => line.split(/=(.*)/s))),
  };
}

function forget(): void {
  for (const made of ['app', 'permission', 'principal', 'provider', 'trust'])
    rmSync(join(folder, `made-${made}`), { force: true });
}

test('a first azd up: every hook of azure.yaml in azd’s order, each with what those before it kept', () => {
  forget();
  const yaml = readFileSync(join(infra, 'azure.yaml'), 'utf8');
  const hooks = new Map(
    [...yaml.matchAll(/^ {2}(\w+):\n {4}shell: sh\n {4}run: \.\/hooks\.sh (\S+)$/gm)].map(
      ([, name = '', step = '']) => [name, step],
    ),
  );
  const order = ['prepackage', 'preprovision', 'postprovision', 'predeploy', 'postdeploy'];
  assert.deepEqual([...hooks.keys()].toSorted(), [...order, 'predown'].toSorted());
  let variables: Record<string, string> = {};
  const ran = new Map<string, Ran>();
  for (const name of order) {
    const one = hook(hooks.get(name) ?? '', variables);
    assert.equal(one.status, 0, `${name}: ${one.said}`);
    ran.set(name, one);
    variables = { ...variables, ...one.kept, ...(name === 'preprovision' ? OUTPUTS : {}) };
  }
  const npm = (name: string): string[] => ran.get(name)?.asked.match(/^npm .*$/gm) ?? [];
  assert.deepEqual(npm('prepackage'), [
    'npm [run] [check] [--] [--environment] [dev]',
    'npm [run] [check:infra]',
    'npm [run] [build]',
  ]);
  // azd may package at the same time: whatever writes into the repository is done by then.
  assert.deepEqual(npm('preprovision'), ['npm [run] [check] [--] [--environment] [dev]']);
  assert.deepEqual(ran.get('preprovision')?.kept, {
    BROKER_EXISTING_ACTIVITY_TOPIC_ID: '',
    BROKER_EXISTING_ACTIVITY_TOPIC_PRINCIPAL_ID: '',
    BROKER_CLIENT_ID: 'client',
    BROKER_PRINCIPAL_ID: 'principal',
    BROKER_CONSOLE_CLIENT_ID: 'console',
  });
  assert.match(ran.get('postprovision')?.asked ?? '', /"subject": "issuer"/);
  assert.match(
    ran.get('postprovision')?.asked ?? '',
    /"spa": \{ "redirectUris": \["https:\/\/broker\.example\/console"\] \}/,
  );
  assert.deepEqual(npm('postprovision'), ['npm [run] [check] [--] [--environment] [dev] [--publishers] [-]']);
  assert.match(ran.get('postdeploy')?.asked ?? '', /az \[deployment\] \[group\] \[create\]/);
});

test('azd deploy alone, as in the pipeline and for a new policy, checks and builds what it deploys', () => {
  const { status, asked: said } = hook('before-deploy', OUTPUTS);
  assert.equal(status, 0);
  assert.match(said, /^npm \[run\] \[check\] .*\nnpm \[run\] \[build\]\naz \[role\]/);
});

test('an app of a release is deployed as it was built, and compared alone: the other one is not there yet', () => {
  for (const [released, other] of [
    ['issuer', 'rotator'],
    ['rotator', 'issuer'],
  ]) {
    const release = { ...OUTPUTS, BROKER_RELEASED_APP: released ?? '' };
    const { status, asked: said } = hook('before-deploy', release);
    assert.equal(status, 0);
    assert.doesNotMatch(said, /npm \[run\] \[build\]/);
    assert.match(said, /^npm \[run\] \[check\]/);
    const { asked: compared } = hook('after-deploy', release);
    assert.match(compared, new RegExp(`\\[list\\].*\\[${released}-app\\]`));
    assert.doesNotMatch(compared, new RegExp(`\\[list\\].*\\[${other}-app\\]`));
    assert.match(compared, /\[deployment\] \[group\] \[create\]/);
  }
});

test('a policy that fails its check, or a CLI in another tenant, stops the deployment before anything is made', () => {
  for (const [step, variables] of [
    ['before-package', { FAILS: 'run check -- --environment dev' }],
    ['before-package', { FAILS: 'run check:infra' }],
    ['before-package', { FAILS: 'run build' }],
    ['before-provision', { FAILS: 'run check -- --environment dev' }],
    ['before-deploy', { ...OUTPUTS, FAILS: 'run check -- --environment dev' }],
    ['before-deploy', { ...OUTPUTS, FAILS: 'run build' }],
    ['before-provision', { TENANT: 'other' }],
  ] as const) {
    const { status, asked: said } = hook(step, variables);
    assert.equal(status, 1);
    assert.doesNotMatch(said, /\[ad\]|\[register\]|\[recover\]/);
  }
});

test('a registration that was found is never taken over, and one that was begun is gone on with', () => {
  forget();
  const found = hook('before-provision', { FOUND: 'somebody-elses' });
  assert.equal(found.status, 1);
  assert.match(found.said, /somebody-elses/);
  assert.doesNotMatch(found.asked, /PATCH|\[update\]|\[app\] \[create\]/);

  const beside = hook('before-provision', { FOUND: 'somebody-elses', BROKER_CLIENT_ID: 'new' });
  assert.equal(beside.kept['BROKER_CLIENT_ID'], 'client');
  assert.match(beside.asked, /"tags": \["azure-ai-token-broker-dev"\]/);
  assert.match(beside.asked, /\[appRoleAssignmentRequired=true\]/);

  forget();
  const broken = hook('before-provision', { DENY: 'yes' });
  assert.equal(broken.status, 1);
  assert.deepEqual(broken.kept['BROKER_CLIENT_ID'], 'client', 'kept as soon as it is known');
  const goneOn = hook('before-provision', {
    BROKER_CLIENT_ID: 'client',
    BROKER_CONSOLE_CLIENT_ID: 'console',
  });
  assert.equal(goneOn.status, 0);
  assert.doesNotMatch(goneOn.asked, /\[app\] \[create\]|\[app\] \[list\]/);
  assert.equal(goneOn.kept['BROKER_PRINCIPAL_ID'], 'principal');
  const known = hook('before-provision', {
    BROKER_CLIENT_ID: 'client',
    BROKER_PRINCIPAL_ID: 'principal',
    BROKER_CONSOLE_CLIENT_ID: 'console',
  });
  assert.doesNotMatch(known.asked, /\[ad\]/);
});

test('the console may ask for one scope of the broker, and a pipeline makes and changes no registration', () => {
  const ids = { BROKER_CLIENT_ID: 'client', BROKER_PRINCIPAL_ID: 'principal' };
  const { asked: said } = hook('after-provision', {
    ...OUTPUTS,
    ...ids,
    BROKER_CONSOLE_CLIENT_ID: 'console',
  });
  assert.match(
    said,
    /applications\(appId='client'\).*"preAuthorizedApplications":\[\{"appId":"azure-cli","delegatedPermissionIds":\["one"\]\},\{"appId":"console","delegatedPermissionIds":\["[0-9a-f-]+7005"\]\}\]/s,
  );
  const pipeline = hook('before-provision', { ...ids, CI: 'true' });
  assert.equal(pipeline.status, 0);
  assert.doesNotMatch(pipeline.asked, /\[ad\]/);
});

test('a private network registers the resource provider of its subnets once', () => {
  forget();
  const register = /az \[provider\] \[register\] \[--namespace\] \[Microsoft\.App\].*\[--wait\]/;
  assert.doesNotMatch(hook('before-provision').asked, register);
  assert.match(hook('before-provision', { AZURE_ENV_NAME: 'prod' }).asked, register);
  assert.doesNotMatch(hook('before-provision', { AZURE_ENV_NAME: 'prod' }).asked, register);
});

test('a deleted vault of this environment and region is recovered into its resource group', () => {
  const none = hook('before-provision');
  assert.doesNotMatch(none.asked, /\[recover\]/);
  assert.match(
    none.asked,
    /application=='azure-ai-token-broker' && properties\.tags\."azd-env-name"=='dev' && properties\.location=='westeurope'/,
  );
  const { asked: said } = hook('before-provision', { DELETED_VAULT: 'brk-dev-x' });
  assert.match(said, /\[group\] \[create\].*\[rg-broker-dev\].*\n.*\[keyvault\] \[recover\].*\[brk-dev-x\]/);
});

test('the subscription’s one system topic is used when there is one that can deliver, and said when it cannot', () => {
  const topic = (group: string, holder: string, type = 'Microsoft.Resources.Subscriptions'): string =>
    `/subscriptions/s/resourceGroups/${group}/providers/Microsoft.EventGrid/systemTopics/t\\t${type}\\t${holder}\\n`;
  const found = (topics: string): Ran => hook('before-provision', { TOPICS: topics });
  const id = (ran: Ran): string | undefined => ran.kept['BROKER_EXISTING_ACTIVITY_TOPIC_ID'];

  const used = found(topic('rg-shared', 'holder', 'microsoft.resources.subscriptions'));
  assert.match(id(used) ?? '', /rg-shared/);
  assert.equal(used.kept['BROKER_EXISTING_ACTIVITY_TOPIC_PRINCIPAL_ID'], 'holder');
  assert.equal(id(found(topic('rg-broker-dev', 'holder'))), '', 'its own is made again by the deployment');
  assert.equal(id(found(topic('rg-shared', 'holder', 'Microsoft.KeyVault.vaults'))), '');

  const without = found(topic('rg-shared', 'None'));
  assert.equal(without.status, 0);
  assert.equal(id(without), 'none');
  assert.match(without.said, /has no identity to deliver with/);
});

test('the registration trusts the issuer identity once, in the words of the cloud; a pipeline leaves it alone', () => {
  forget();
  const trust = { ...OUTPUTS, BROKER_CLIENT_ID: 'client' };
  assert.equal(hook('after-provision', { ...trust, CI: 'true' }).asked, '');
  const first = hook('after-provision', trust);
  assert.equal(first.status, 0);
  assert.match(
    first.asked,
    /"issuer": "https:\/\/login\.example\/tenant\/v2\.0",\s+"subject": "issuer", "audiences": \["api:\/\/AzureADTokenExchange"\]/,
  );
  const again = hook('after-provision', { ...trust, DENY: 'yes' });
  assert.equal(again.status, 0, 'permissions of Graph that were not granted are said, and no failure');
  assert.doesNotMatch(again.asked, /\[federated-credential\] \[create\]/);

  rmSync(join(folder, 'made-trust'));
  assert.match(
    hook('after-provision', { ...trust, CLOUD: 'AzureChinaCloud' }).asked,
    /"https:\/\/login\.partner\.microsoftonline\.cn\/tenant\/v2\.0",[^}]*"api:\/\/AzureADTokenExchangeChina"/,
  );
});

test('azd down and up again: the deleted vault comes back, and the registration trusts the new identity and no old one', () => {
  forget();
  const down = hook('before-down', { ...OUTPUTS, PROOF: 'Unlocked\\tthe-etag\\n' });
  assert.equal(down.status, 0, down.said);
  assert.match(
    down.asked,
    /\[immutability-policy\] \[delete\].*\[--account-name\] \[storage\].*\[the-etag\]/,
  );
  // azd forgets the outputs then, and keeps what its environment was given.
  const kept = {
    BROKER_CLIENT_ID: 'client',
    BROKER_PRINCIPAL_ID: 'principal',
    BROKER_CONSOLE_CLIENT_ID: 'console',
    BROKER_REPOSITORY: 'contoso/broker',
  };
  const up = hook('before-provision', { ...kept, DELETED_VAULT: 'brk-dev-x' });
  assert.equal(up.status, 0, up.said);
  assert.match(up.asked, /\[keyvault\] \[recover\].*\[brk-dev-x\]/);
  assert.doesNotMatch(up.asked, /\[ad\]/, 'the registrations are the ones of before');
  const trusted = 'one\\tissuer\\ntwo\\tgone\\nthree\\tanother-that-lives\\n';
  const after = hook('after-provision', { ...OUTPUTS, ...kept, TRUSTED: trusted });
  assert.equal(after.status, 0, after.said);
  assert.match(after.asked, /\[federated-credential\] \[create\]/);
  assert.deepEqual(
    [...after.asked.matchAll(/\[federated-credential\] \[delete\].*\[(\w+)\]$/gm)].map(([, id]) => id),
    ['two'],
  );
  assert.match(
    after.asked,
    /\[deployment\] \[sub\] \[create\].*\[pipeline\.bicep\].*\[repository=contoso\/broker\]/,
  );
});

test('what is locked is not half deleted: azd down stops before it has begun', () => {
  const locked = hook('before-down', { ...OUTPUTS, PROOF: 'Locked\\tthe-etag\\n' });
  assert.equal(locked.status, 1);
  assert.match(locked.said, /nothing was deleted/);
  assert.doesNotMatch(locked.asked, /\[delete\]/);
  // Not deployed, without a policy (as after a `down` that was broken off), and gone already.
  for (const none of [{}, OUTPUTS, { ...OUTPUTS, STORAGE: '', PROOF: 'Locked\\tthe-etag\\n' }]) {
    const { status, asked: said } = hook('before-down', none);
    assert.equal(status, 0);
    assert.doesNotMatch(said, /\[delete\]/);
  }
});

test('what could not be read is not taken for gone: azd down stops, and a trust stays', () => {
  for (const unread of [{ DENY: 'yes' }, { PROOF: 'unread' }]) {
    const { status, asked: said } = hook('before-down', { ...OUTPUTS, ...unread });
    assert.equal(status, 1);
    assert.doesNotMatch(said, /\[delete\]/);
  }
  const after = hook('after-provision', {
    ...OUTPUTS,
    BROKER_CLIENT_ID: 'client',
    TRUSTED: 'one\\tunknown\\n',
  });
  assert.equal(after.status, 1);
  assert.doesNotMatch(after.asked, /\[federated-credential\] \[delete\]/);
});

test('the rotator identity may read users; the issuer identity only where the environment says so, else it is taken away', () => {
  const trust = { ...OUTPUTS, BROKER_CLIENT_ID: 'client' };
  const granted = (ran: Ran): string[] =>
    [...ran.asked.matchAll(/\[POST\].*servicePrincipals\/(\w+)\//g)].map(([, who = '']) => who);
  assert.deepEqual(granted(hook('after-provision', trust)), ['rotator', 'rotator']);
  const both = hook('after-provision', { ...trust, BROKER_ISSUER_READS_DIRECTORY: 'true' });
  assert.deepEqual(granted(both), ['rotator', 'rotator', 'issuer', 'issuer']);
  const held = hook('after-provision', { ...trust, HELD: 'assignment' });
  assert.deepEqual(granted(held), []);
  assert.equal(
    held.asked.match(/\[DELETE\].*servicePrincipals\/issuer\/appRoleAssignments\/assignment/g)?.length,
    2,
  );
  assert.doesNotMatch(held.asked, /\[DELETE\].*servicePrincipals\/rotator/);
});

test('a deployment waits until the roles that read the packages are five minutes old, and later not at all', () => {
  assert.doesNotMatch(hook('before-deploy', OUTPUTS).asked, /sleep/);
  const { asked: said } = hook('before-deploy', { ...OUTPUTS, GIVEN: new Date().toISOString() });
  const [, seconds] = /^sleep \[(\d+)\]$/m.exec(said) ?? [];
  assert.ok(Number(seconds) > 200 && Number(seconds) <= 300, said);
  assert.equal(said.match(/\[--scope\] \[\/(one|two)\]/g)?.length, 2);
});

test('events are subscribed to once the app answers with the functions that were built, in azd’s subscription', () => {
  const { status, asked: said } = hook('after-deploy', OUTPUTS);
  assert.equal(status, 0);
  assert.match(said, /^curl .*\[https:\/\/broker\.example\/health\]\n/);
  assert.match(
    said,
    /\[list\].*\[issuer-app\].*\n.*\[list\].*\[rotator-app\].*\n.*\[deployment\] \[group\] \[create\]/,
  );
  assert.match(said, /\[--subscription\] \[subscription\].*\[--resource-group\] \[a group\]/);
  assert.match(said, /\[activityTopicId=\]\n$/);
});

test('a package that serves nothing fails the deployment, and what is missing is said', () => {
  const { status, said, asked: calls } = hook('after-deploy', { ...OUTPUTS, DEPLOYED: 'app/one\\n' });
  assert.equal(status, 1);
  assert.match(said, /issuer-app has other functions than were built/);
  assert.match(said, /^< two$/m);
  assert.doesNotMatch(calls, /\[deployment\]/);
});

test('the registration is one that Entra takes: what shares a value shares everything', () => {
  const script = readFileSync(join(infra, 'app-registration.sh'), 'utf8');
  const manifest = JSON.parse(/^MANIFEST='(\{.*?^\})'$/ms.exec(script)?.[1] ?? '');
  assert.equal(manifest.api.requestedAccessTokenVersion, 2);
  const [scope, ...others] = manifest.api.oauth2PermissionScopes;
  const roles: Record<string, unknown>[] = manifest.appRoles;
  for (const other of others)
    for (const key of ['id', 'value'])
      assert.ok(!roles.some((role) => role[key] === other[key]), other.value);
  const { allowedMemberTypes, ...twin } = roles.find(({ value }) => value === scope.value) ?? {};
  assert.deepEqual(twin, {
    id: scope.id,
    value: scope.value,
    isEnabled: scope.isEnabled,
    displayName: scope.adminConsentDisplayName,
    description: scope.adminConsentDescription,
  });
  for (const key of ['id', 'value']) assert.equal(new Set(roles.map((role) => role[key])).size, roles.length);
  // Nobody can be assigned without a role that people may have.
  assert.ok(
    roles.some(({ allowedMemberTypes: of, value }) => value === 'Broker.User' && String(of) === 'User'),
  );
  assert.deepEqual(allowedMemberTypes, ['Application']);
  const claims: { name: string }[] = manifest.optionalClaims.accessToken;
  assert.deepEqual(
    claims.map(({ name }) => name),
    ['idtyp', 'xms_cc'],
  );
});
