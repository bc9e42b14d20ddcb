/** A policy of one's own becomes accounts, tenants, groups, callers and roles. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeCaller } from '../../../src/local/may.ts';
import { localPolicy } from '../../../src/local/simulated/local-policy.ts';
import { worldOfPolicy } from '../../../src/local/simulated/policy-world.ts';
import { allows } from '../../../src/local/simulated/roles.ts';
import type { World } from '../../../src/local/simulated/world.ts';
import { loadPolicy, PolicyError } from '../../../src/policy/load.ts';

interface PolicyFile {
  tenants: { name: string; id: string }[];
  resources: Record<string, unknown>[];
  grants: Record<string, unknown>[];
}
const file = (change: (policy: PolicyFile) => void = () => {}): string => {
  const policy: PolicyFile = JSON.parse(
    readFileSync(join(import.meta.dirname, '../own-policy.json'), 'utf8'),
  );
  change(policy);
  return JSON.stringify(policy);
};
const id = (last: number) => `70000000-0000-4000-8000-${String(last).padStart(12, '0')}`;
const mayOf = (text: string) =>
  worldOfPolicy(text).callers.map((caller) => {
    const { name, may } = describeCaller(caller, loadPolicy(text));
    return `${name}: ${may.map(({ resource, tokenKinds }) => `${resource} ${tokenKinds.join()}`).join('; ')}`;
  });
const described = ({ accounts }: World) =>
  accounts.map((account) => ({
    ...account,
    endpoint: `https://${account.name}.localhost`,
    regionalEndpoint: `https://regional.${account.name}.localhost`,
  }));

/** A policy with these caller rules, one grant each, and every kind of token for the assistant. */
const withRules = (...rules: object[]) =>
  file((policy) => {
    policy.grants = rules.map((rule, index) => ({
      name: `grant-${index}`,
      callers: [{ tenant: 'contoso', ...rule }],
      resources: ['assistant'],
      tokenKinds: ['entra'],
      maxLifetime: '2h',
      rate: { count: 1, per: '1m' },
    }));
  });

test('each rule has a caller that may have what its grant gives, and nothing else', () => {
  assert.deepEqual(mayOf(file()), [
    'voice: contact-centre sts',
    'voice-2: contact-centre sts',
    'writers: assistant obo',
    'bookkeeping: invoices entra',
    'operator: ',
    'auditor: ',
    'publisher: ',
    'outsider: ',
  ]);
});

test('a caller fits its own rule only, whatever a rule names', () => {
  const rules = [
    { clientId: id(1) },
    { clientId: id(2), appRole: 'One' },
    { objectId: id(3) },
    { appRole: 'Two' },
    { scope: 'Three.Use' },
    { group: id(4) },
    { objectId: id(5), group: id(6), scope: 'Four.Use', appRole: 'Four' },
    { clientId: id(7), scope: 'Five.Use' },
    { blueprint: id(8) },
    { blueprint: id(9), scope: 'Six.Use' },
  ];
  const text = withRules(...rules);
  const policy = loadPolicy(text);
  for (const [index, caller] of worldOfPolicy(text).callers.slice(0, rules.length).entries()) {
    assert.equal(caller.name, `grant-${index}`);
    const alone = (at: number) =>
      describeCaller(caller, { ...policy, grants: policy.grants.slice(at, at + 1) }).may;
    for (const at of rules.keys())
      assert.equal(alone(at).length, at === index ? 1 : 0, `${caller.name} and rule ${at}`);
  }
});

test('the world is the same at every start', () => {
  const [one, other] = [worldOfPolicy(file()), worldOfPolicy(file())];
  assert.deepEqual(one.callers, other.callers);
  assert.deepEqual(one.directory, other.directory);
});

test('rules of one application, or of one person, share a principal with what both ask for', () => {
  const text = withRules(
    { clientId: id(1), appRole: 'One' },
    { clientId: id(1), appRole: 'Two', objectId: id(2) },
    { objectId: id(3), group: id(4) },
    { objectId: id(3), scope: 'Use' },
  );
  const { callers, directory } = worldOfPolicy(text);
  const [one, other, person, same] = callers;
  assert.deepEqual([one?.rights, one?.objectId], [other?.rights, id(2)]);
  assert.deepEqual(one?.rights.appRoles, ['One', 'Two']);
  assert.equal(one?.clientSecret, other?.clientSecret);
  assert.equal(directory.applications.filter(({ clientId }) => clientId === id(1)).length, 1);
  assert.deepEqual([person?.username, person?.rights], [same?.username, same?.rights]);
  assert.equal(directory.users.filter(({ name }) => !['operator', 'auditor'].includes(name)).length, 1);
});

test('a name that is taken is not given twice', () => {
  const grants = (policy: PolicyFile) => {
    const [voice = {}, ...others] = policy.grants;
    policy.grants = [voice, { ...voice, name: 'voice-2' }, { ...voice, name: 'operator' }, ...others];
  };
  const names = worldOfPolicy(file(grants)).callers.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(names.slice(0, 6), [
    'voice',
    'voice-3',
    'voice-2',
    'voice-2-2',
    'operator-2',
    'operator-3',
  ]);
});

test('the tenants are those of the policy and one more, that of the outsider', () => {
  const world = worldOfPolicy(file());
  const { tenants } = loadPolicy(file());
  assert.deepEqual(world.directory.tenantIds, [...tenants.map(({ id }) => id), world.otherTenantId]);
  const outsider = world.callers.find(({ name }) => name === 'outsider');
  assert.equal(outsider?.tenantId, world.otherTenantId);
  const named = file(({ tenants }) => {
    tenants[1] = { name: 'fabrikam', id: world.otherTenantId };
  });
  assert.ok(!loadPolicy(named).tenants.some(({ id }) => id === worldOfPolicy(named).otherTenantId));
});

test('the first tenant is the home of the broker and its operators, unless one is named home', () => {
  for (const [names, at] of [
    [['contoso', 'fabrikam'], 0],
    [['contoso', 'home'], 1],
  ] as const) {
    const text = file((policy) => {
      for (const [index, name] of names.entries()) {
        const tenant = policy.tenants[index];
        if (tenant !== undefined) tenant.name = name;
      }
      policy.grants = [];
    });
    const home = loadPolicy(text).tenants[at]?.id;
    const { directory, callers } = worldOfPolicy(text);
    assert.equal(directory.homeTenantId, home);
    assert.deepEqual(
      callers.slice(0, 3).map(({ tenantId }) => tenantId),
      [home, home, home],
    );
    assert.equal(directory.applications.find(({ name }) => name === 'broker')?.tenantId, home);
  }
});

test('each account has the roles that its token kinds and its rotation need, and no more', () => {
  const { roleAssignments, accounts, directory, callers } = worldOfPolicy(file());
  const at = (name: string) => accounts.find((account) => account.name === name)?.accountId ?? '';
  const principal = (clientId: string) =>
    directory.identities.find((identity) => identity.clientId === clientId)?.principalId ?? '';
  const named = (name: string) => directory.identities.find((one) => one.name === name)?.principalId ?? '';
  const broker = directory.applications.find(({ name }) => name === 'broker')?.objectId ?? '';
  const writer = callers.find(({ name }) => name === 'writers')?.objectId ?? '';
  const use = (who: string, name: string) =>
    allows(roleAssignments, who, 'dataActions', 'Microsoft.CognitiveServices/accounts/OpenAI/x', at(name));
  const rotate = (name: string) =>
    allows(
      roleAssignments,
      named('rotator'),
      'actions',
      'Microsoft.CognitiveServices/accounts/regenerateKey/action',
      at(name),
    );
  const users = [broker, writer, principal('30000000-0000-4000-8000-000000000001')];
  assert.deepEqual(
    ['contact-centre', 'assistant', 'invoices'].map((name) => [
      rotate(name),
      ...users.map((who) => use(who, name)),
    ]),
    [
      [true, false, false, false],
      [false, true, true, false],
      [false, false, false, true],
    ],
  );
});

test('the policy in force differs from the file by the addresses alone', () => {
  const world = worldOfPolicy(file());
  const inForce = loadPolicy(JSON.stringify(world.policy(described(world), 'https://entra', 0)));
  const { resources, ...rest } = loadPolicy(file());
  const { resources: local, ...localRest } = inForce;
  assert.deepEqual(localRest, rest);
  assert.deepEqual(
    local.map(({ endpoint, regionalEndpoint }) => [endpoint, regionalEndpoint]),
    [
      ['https://contact-centre.localhost', 'https://regional.contact-centre.localhost'],
      ['https://assistant.localhost', undefined],
      ['https://invoices.localhost', undefined],
    ],
  );
  const without = (all: typeof resources) =>
    all.map(({ endpoint: _, regionalEndpoint: __, ...others }) => others);
  assert.deepEqual(without(local), without(resources));
});

test('signals of every transmitter are checked with the keys of the simulated Entra', () => {
  const text = file((policy) =>
    Object.assign(policy, {
      transmitters: [
        { name: 'idp', issuer: 'https://i', jwksUri: 'https://i/keys', audience: 'a', tenants: ['contoso'] },
      ],
    }),
  );
  const world = worldOfPolicy(text);
  const { transmitters } = loadPolicy(JSON.stringify(world.policy(described(world), 'https://entra', 0)));
  assert.equal(transmitters[0]?.jwksUri, 'https://entra/common/discovery/v2.0/keys');
  assert.deepEqual(world.transmitters('https://entra'), [
    { name: 'idp', issuer: 'https://i', audience: 'a' },
  ]);
});

test('a policy that changed is taken with other names, and not with an account that is not simulated', () => {
  const accounts = described(worldOfPolicy(file()));
  const rename = file(({ resources, grants }) => {
    Object.assign(resources[0] ?? {}, { name: 'voices' });
    Object.assign(grants[0] ?? {}, { resources: ['voices'] });
  });
  const [first] = loadPolicy(JSON.stringify(localPolicy(rename, accounts, 'https://entra'))).resources;
  assert.deepEqual([first?.name, first?.endpoint], ['voices', 'https://contact-centre.localhost']);
  assert.throws(() => localPolicy(file(), accounts.slice(1), 'https://entra'), /contoso-voice is new/);
  assert.throws(() => localPolicy('{}', accounts, 'https://entra'), PolicyError);
});
