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
for (const made of ['bin', 'infra', 'node_modules']) mkdirSync(join(folder, made));
for (const script of ['hooks.sh', 'app-registration.sh'])
  cpSync(join(infra, script), join(folder, 'infra', script));

const note = `printf '%s' "\${0##*/}" >>"$ASKED"; printf ' [%s]' "$@" >>"$ASKED"; echo >>"$ASKED"\n`;
/** What was made is a file, and listed the next time. */
const az = `case "$*" in
  *microsoftGraphResourceId*) echo https://graph.example/ ;;
  *endpoints.activeDirectory*) echo https://login.example/ ;;
  "cloud show --query name"*) echo "\${CLOUD:-AzureCloud}" ;;
  "account show --subscription"*) echo "\${TENANT:-tenant}" ;;
  "account show"*) echo tenant ;;
  "ad app list"*) [ ! -e "$MADE-app" ] || echo client ;;
  "ad app create"*) [ -z "\${DENY:-}" ] || exit 1; touch "$MADE-app"; echo client ;;
  "ad app show"*) echo object ;;
  "ad app permission list"*) [ ! -e "$MADE-permission" ] || echo impersonation ;;
  "ad app permission add"*) touch "$MADE-permission" ;;
  *"appId eq 'client'"*) [ ! -e "$MADE-principal" ] || echo principal ;;
  "ad sp list"*) echo impersonation ;;
  "ad sp create"*) touch "$MADE-principal"; echo principal ;;
  "ad sp show"*) echo role ;;
  "ad app federated-credential list"*) [ ! -e "$MADE-trust" ] || echo trust ;;
  "ad app federated-credential create"*) touch "$MADE-trust" ;;
  "rest --method POST"*) [ -z "\${DENY:-}" ] || exit 1 ;;
esac
`;
for (const [name, does] of [
  ['az', az],
  ['azd', ''],
  ['npm', '[ "$*" != "$FAILS" ]\n'],
  ['curl', ''],
])
  writeFileSync(join(bin, name ?? ''), `#!/usr/bin/env bash\n${note}${does}`, { mode: 0o755 });

function hook(
  step: string,
  variables: Record<string, string> = {},
): { status: number | null; asked: string } {
  writeFileSync(asked, '');
  const { status } = spawnSync('bash', [join(folder, 'infra/hooks.sh'), step], {
    encoding: 'utf8',
    env: {
      PATH: `${bin}:${process.env['PATH']}`,
      ASKED: asked,
      MADE: join(folder, 'made'),
      FAILS: '',
      AZURE_ENV_NAME: 'dev',
      AZURE_SUBSCRIPTION_ID: 'subscription',
      AZURE_RESOURCE_GROUP: 'a group',
      BROKER_ISSUER_PRINCIPAL_ID: 'issuer',
      BROKER_URL: 'https://broker.example',
      BROKER_APP_NAME: 'app',
      BROKER_STORAGE_NAME: 'storage',
      BROKER_DEAD_LETTERS_NAME: 'letters',
      BROKER_TOPIC_NAME: 'topic',
      BROKER_VAULT_TOPIC_NAME: 'vault-topic',
      ...variables,
    },
  });
  return { status, asked: readFileSync(asked, 'utf8') };
}

test('before it provisions, azd checks, then makes the registration, and a second time makes nothing', () => {
  const refused = hook('before-provision', { DENY: 'yes' });
  assert.equal(refused.status, 1);
  assert.doesNotMatch(refused.asked, /azd \[env\]/);

  const first = hook('before-provision');
  assert.equal(first.status, 0);
  assert.match(
    first.asked,
    /^npm \[run\] \[check\] \[--\] \[--environment\] \[dev\]\nnpm \[run\] \[check:infra\]\n/,
  );
  assert.match(first.asked, /\[appRoleAssignmentRequired=true\]/);
  assert.match(
    first.asked,
    /azd .*\[BROKER_CLIENT_ID\] \[client\]\nazd .*\[BROKER_PRINCIPAL_ID\] \[principal\]\n$/,
  );

  const second = hook('before-provision');
  assert.equal(second.status, 0);
  assert.doesNotMatch(second.asked, /\[create\]|\[permission\] \[add\]/);
  const known = hook('before-provision', { BROKER_CLIENT_ID: 'client', BROKER_PRINCIPAL_ID: 'principal' });
  assert.doesNotMatch(known.asked, /\[ad\]|azd/);
});

test('a policy that fails its check, or a CLI in another tenant, stops the deployment', () => {
  for (const variables of [
    { FAILS: 'run check -- --environment dev' },
    { FAILS: 'run check:infra' },
    { TENANT: 'other' },
  ]) {
    const { status, asked: said } = hook('before-provision', variables);
    assert.equal(status, 1);
    assert.doesNotMatch(said, /\[ad\]/);
  }
});

test('the registration trusts the issuer identity once, in the words of the cloud; a pipeline leaves it alone', () => {
  const trust = { BROKER_CLIENT_ID: 'client' };
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

test('events are subscribed to once the app answers, in the subscription that azd deployed to', () => {
  const { status, asked: said } = hook('after-deploy');
  assert.equal(status, 0);
  assert.match(said, /^curl .*\[https:\/\/broker\.example\/health\]\naz \[deployment\] \[group\] \[create\]/);
  assert.match(said, /\[--subscription\] \[subscription\].*\[--resource-group\] \[a group\]/);
  assert.match(said, /\[activityTopicName=\]\n$/);
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
