import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEPLOYED_ASSIGNMENTS, DEPLOYED_ROLES } from '../../src/deployed-roles.ts';
import { bicepFile, bicepFiles, declarations, infra, properties, unquoted } from './bicep-syntax.ts';
import { BUILT_IN_ROLES } from './built-in-roles.ts';
import { customRoles, rolesOf, rows } from './roles-of.ts';

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
const DATA_ROLES: Record<string, string> = {
  speech: 'f2dc8367-1007-4938-bd23-fe263f013447',
  openai: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd',
};
/** Both hold `Microsoft.CognitiveServices/accounts/listkeys/action`. */
const KEY_LISTING_ROLES: Record<string, string> = {
  'Cognitive Services User': 'a97b65f3-24c7-4388-baec-2e87135dc908',
  'Azure AI User, now Foundry User': '53ca6127-db72-4b80-b1b0-d745d6d5456d',
};

/** What the broker is made of; what the pipeline may do is in pipeline.test.ts. */
const ofBroker = bicepFiles.filter(({ name }) => !name.startsWith('pipeline'));
const assignments = ofBroker.flatMap((file) =>
  declarations(file, 'resource')
    .filter(({ refersTo }) => refersTo.startsWith('Microsoft.Authorization/roleAssignments@'))
    .map((declaration) => ({ file: file.name, declaration })),
);

const ENTITIES = 'Microsoft.Storage/storageAccounts/tableServices/tables/entities';
const heldAt = (scope: string, identity: string): string[] =>
  rolesOf()
    .filter((held) => held.scope === scope && held.identity === identity)
    .flatMap(({ actions, dataActions }) => [...actions, ...dataActions]);

/** A role's name without the environment. */
const titleOf = (role: string): string =>
  unquoted(
    rows('role-definitions.bicep', 'definitions')
      .find((row) => row.get('id')?.text === `roleNames.${role}`)
      ?.get('name'),
  ) ||
  (Object.entries(DEPLOYED_ROLES).find(
    ([, own]) => 'id' in own && own.id === BUILT_IN_ROLES[role]?.id,
  )?.[0] ??
    role);

test('every assignment to the two identities is one of src/deployed-roles.ts', () => {
  const lines = rolesOf().map(({ identity, role, scope }) => `${identity} ${scope} ${titleOf(role)}`);
  assert.deepEqual(lines.toSorted(), DEPLOYED_ASSIGNMENTS.map((line) => line.join(' ')).toSorted());
});

test('every role holds what src/deployed-roles.ts says', () => {
  const roles = new Set(rolesOf().map(({ role }) => role));
  const holds = [...roles].map((role) => {
    const { actions, dataActions } = customRoles().get(role) ?? BUILT_IN_ROLES[role] ?? assert.fail(role);
    return [titleOf(role), { actions, dataActions }];
  });
  const listed = Object.entries(DEPLOYED_ROLES).map(([name, { actions, dataActions }]) => [
    name,
    { actions, dataActions },
  ]);
  assert.deepEqual(Object.fromEntries(holds), Object.fromEntries(listed));
});

test('the issuer identity can neither list, regenerate nor write a key, nor list the versions of one', () => {
  assert.deepEqual(heldAt('account', 'issuer'), []);
  assert.deepEqual(heldAt('vault', 'issuer'), ['Microsoft.KeyVault/vaults/secrets/getSecret/action']);
});

test('the issuer identity can neither change nor delete a row of the audit, nor a table', () => {
  assert.deepEqual(heldAt('table:audit', 'issuer'), [`${ENTITIES}/read`, `${ENTITIES}/add/action`]);
  for (const table of ['demands', 'operations', 'policy'])
    assert.deepEqual(heldAt(`table:${table}`, 'issuer'), heldAt('table:audit', 'issuer'));
  for (const { identity, scope, actions, dataActions } of rolesOf())
    if (scope.startsWith('table:'))
      for (const action of [...actions, ...dataActions])
        assert.ok(
          !/tables\/(write|delete)$|entities\/(write|\*)$/.test(action) &&
            !(identity === 'issuer' && /delete$/.test(action)),
          `${identity} ${scope} ${action}`,
        );
});

test('the rotator identity can neither add nor change a row of the audit, and cannot make a demand', () => {
  assert.deepEqual(heldAt('table:audit', 'rotator'), [`${ENTITIES}/read`, `${ENTITIES}/delete`]);
  assert.ok(!heldAt('table:demands', 'rotator').some((action) => action.endsWith('/add/action')));
});

test('the proof is appended to by the rotator identity alone, and no identity may write over it or delete of it', () => {
  const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';
  const data = (identity: string): readonly string[] =>
    rolesOf()
      .filter((held) => held.scope === 'container:proof' && held.identity === identity)
      .flatMap(({ dataActions }) => dataActions);
  assert.deepEqual(data('issuer'), [`${BLOBS}/read`]);
  assert.deepEqual(data('rotator'), [`${BLOBS}/read`, `${BLOBS}/add/action`]);
  assert.ok(!heldAt('table:usage', 'issuer').some((action) => !action.endsWith('/read')));
});

test('the container of the proof takes appends and nothing else, for as long as a row is kept at least', () => {
  const { text } = bicepFile('storage.bicep');
  const policy = declarations(bicepFile('storage.bicep'), 'resource').find(({ refersTo }) =>
    refersTo.startsWith('Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@'),
  );
  assert.equal(policy?.at('parent')?.text, 'proof');
  assert.equal(policy?.at('properties', 'allowProtectedAppendWrites')?.text, 'true');
  assert.equal(policy?.at('properties', 'immutabilityPeriodSinceCreationInDays')?.text, 'proofDays');
  assert.equal(policy?.at('properties', 'allowProtectedAppendWritesAll'), undefined);
  // Azure takes no change of a locked one, so a deployment must leave it alone.
  assert.match(text, /immutabilityPolicies@[0-9-]+' = if \(!proofLocked\) \{/);
});

test('neither identity has a role on the storage of the other app’s host, or on the whole account with the state', () => {
  for (const { identity, scope } of rolesOf())
    if (scope.startsWith('host:')) assert.equal(scope, `host:${identity}`);
  const scopes = assignments
    .filter(({ file }) => file === 'roles.bicep')
    .map(({ declaration }) => declaration.at('scope')?.text);
  assert.deepEqual(scopes, [
    'tables[index]',
    'queues[index]',
    'containers[index]',
    'hosts[index]',
    'vault',
    'component',
  ]);
});

test('whoever works on a queue may also give a message back, which no built-in role of a worker allows', () => {
  const messages = 'Microsoft.Storage/storageAccounts/queueServices/queues/messages';
  for (const queue of ['events', 'demands'])
    assert.deepEqual(heldAt(`queue:${queue}`, 'rotator'), [
      'Microsoft.Storage/storageAccounts/queueServices/queues/read',
      `${messages}/read`,
      `${messages}/write`,
      `${messages}/process/action`,
    ]);
  assert.deepEqual(heldAt('queue:demands', 'issuer'), [`${messages}/add/action`]);
});

test('the rotator role lists and regenerates keys and keeps secrets, and deletes nothing', () => {
  assert.deepEqual(customRoles().get('rotator'), {
    actions: [
      'Microsoft.CognitiveServices/accounts/listKeys/action',
      'Microsoft.CognitiveServices/accounts/regenerateKey/action',
    ],
    dataActions: [
      'Microsoft.KeyVault/vaults/secrets/getSecret/action',
      'Microsoft.KeyVault/vaults/secrets/setSecret/action',
      'Microsoft.KeyVault/vaults/secrets/readMetadata/action',
      'Microsoft.KeyVault/vaults/secrets/update/action',
    ],
  });
  assert.deepEqual(customRoles().get('data'), {
    actions: [],
    dataActions: ['Microsoft.CognitiveServices/*'],
  });
});

test('every custom role is given, and each has a GUID of its own', () => {
  const named = declarations(bicepFile('main.bicep'), 'variable').find(({ name }) => name === 'roleNames');
  const guids = [...properties(named?.body ?? assert.fail())];
  assert.deepEqual(guids.map(([name]) => name).sort(), [...customRoles().keys()].sort());
  for (const [name, { text }] of guids) assert.ok(text.endsWith(`, '${name}')`), name);
  const given = new Set(rolesOf().map(({ role }) => role));
  for (const name of customRoles().keys()) assert.ok(name === 'data' || given.has(name), name);
});

test('roles are assigned in three files, and on other resource groups by the one module that two of them call', () => {
  const files = new Set(assignments.map(({ file }) => file));
  assert.deepEqual(files, new Set(['roles.bicep', 'event-roles.bicep', 'account-role.bicep']));
  for (const file of ofBroker)
    for (const { refersTo } of declarations(file, 'module'))
      assert.ok(
        refersTo !== 'account-role.bicep' || ['roles.bicep', 'grants.bicep'].includes(file.name),
        file.name,
      );
});

test('the topics deliver to the queue of the rotator app and dead-letter, and publishers publish', () => {
  const given = assignments
    .filter(({ file }) => file === 'event-roles.bicep')
    .map(({ declaration }) => {
      const role = declaration.at('properties', 'roleDefinitionId')?.text ?? '';
      const who = declaration.at('properties', 'principalId')?.text;
      return `${who} ${/, builtIn\.(\w+)\)$/.exec(role)?.[1]} ${declaration.at('scope')?.text}`;
    });
  assert.deepEqual(given, [
    'principalId storageQueueDataMessageSender events',
    'principalId storageBlobDataContributor deadLetters',
    'publisher eventGridDataSender topic',
  ]);
});

test('no built-in role is given beyond the listed ones, and never one that lists keys', () => {
  const guid = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;
  const used = ofBroker.flatMap(({ text }) => text.toLowerCase().match(guid) ?? []);
  const allowed = [...Object.values(BUILT_IN_ROLES).map(({ id }) => id), ...Object.values(DATA_ROLES)];
  assert.deepEqual(new Set(used), new Set(allowed));
  for (const file of readdirSync(infra))
    for (const [name, id] of Object.entries(KEY_LISTING_ROLES))
      assert.ok(!readFileSync(join(infra, file), 'utf8').toLowerCase().includes(id), `${file}: ${name}`);
});

test('every name of a built-in role stands for the GUID of that role', () => {
  for (const file of ofBroker)
    for (const { name: variable, body } of declarations(file, 'variable'))
      for (const [name, value] of body && /^(builtIn|dataRoles)$/.test(variable) ? properties(body) : [])
        if (name !== 'data')
          assert.equal(
            unquoted(value),
            BUILT_IN_ROLES[name]?.id ?? DATA_ROLES[name],
            `${file.name}: ${name}`,
          );
});

test('the name of an assignment tells its scope, holder and role: an identity made again gets one of its own', () => {
  assert.ok(assignments.length >= 9);
  for (const { file, declaration } of assignments) {
    const at = (...path: string[]): string => declaration.at(...path)?.text ?? '';
    const where = `${file}: ${declaration.name}`;
    const role = /, ([\w.]+)\)$/.exec(at('properties', 'roleDefinitionId'))?.[1] ?? '';
    const parts = [`${at('scope')}.id`, at('properties', 'principalId'), role];
    const name =
      at('name')
        .match(/[\w.[\]]+/g)
        ?.slice(1) ?? [];
    assert.deepEqual(name.toSorted(), parts.toSorted(), where);
    assert.ok(at('properties', 'principalType'), where);
  }
});

test('on an AI account the rotator role goes to rotated accounts only, and the others to whom the grant names', () => {
  const [rotator] = declarations(bicepFile('roles.bicep'), 'module');
  const [users] = declarations(bicepFile('grants.bicep'), 'module');
  assert.ok(rotator?.node.text.includes('for account in filter(accounts, item => item.rotated):'));
  assert.equal(users?.at('params', 'roleName')?.text, 'dataRoles[grant.role]');
  assert.equal(
    users?.at('params', 'principalType')?.text,
    "grant.to == 'group' ? 'Group' : 'ServicePrincipal'",
  );
  assert.match(
    users?.at('params', 'principalId')?.text.replace(/\s+/g, ' ') ?? '',
    /^grant\.to == 'application' \? applicationId : grant\.to == 'systemAssigned' \? systemAssignedId : grant\.principalId$/,
  );
});

test('every table and queue on which a role is given is one that there is, and each has one', () => {
  for (const [variable, kind] of [
    ['tableNames', 'table'],
    ['queueNames', 'queue'],
  ] as const) {
    const declared = declarations(bicepFile('storage.bicep'), 'variable').find(
      ({ name }) => name === variable,
    );
    const names =
      /\[([^\]]*)\]/
        .exec(declared?.node.text ?? '')?.[1]
        ?.trim()
        .split(/\s+/) ?? [];
    const given = rows('roles.bicep', `${kind}Roles`).map((row) => row.get(kind)?.text ?? '');
    assert.deepEqual(new Set(given), new Set(names));
  }
});

test('infra/README.md lists what the two identities hold, and nothing else', () => {
  const page = readFileSync(join(infra, 'README.md'), 'utf8');
  const listed = [...page.matchAll(/^\| (issuer|rotator) \| ([^|]+) \| ([^|]+) \|/gm)].flatMap(
    ([, who, role = '', where = '']) =>
      where.split(', ').map((part, _, parts) => {
        const kind = /^(tables|queues|container|host) /.exec(parts[0] ?? '')?.[1]?.replace(/s$/, '');
        const place = part.replace(/^(tables|queues|container|host) /, '');
        return `${who} ${roleOf(role)} ${kind === undefined ? place : `${kind}:${place}`}`;
      }),
  );
  const held = rolesOf().map(({ identity, role, scope }) => `${identity} ${role} ${scope}`);
  assert.deepEqual(listed.toSorted(), held.toSorted());
});

/** `*writer*` is a role of our own; `Storage Blob Data Owner` a built-in one. */
function roleOf(text: string): string {
  const own = /^\*(\w+)\*$/.exec(text)?.[1];
  if (own !== undefined) return own;
  const known = Object.keys(BUILT_IN_ROLES);
  return known.find((name) => name.toLowerCase() === text.replaceAll(' ', '').toLowerCase()) ?? text;
}
