import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadPolicy } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import { matches } from '../../src/policy/pattern.ts';
import type { CallerRule } from '../../src/policy/schema.ts';
import type { Caller } from '../../src/ports.ts';
import { TOKEN_KINDS } from '../../src/token-kind.ts';
import { aCaller } from '../exchange/caller.ts';
import { caller, policy } from './differing.ts';
import { CAPTIONS, HOME, PARTNER, RESEARCHERS, samplePolicy } from './sample.ts';

const compiled = (bend: (policy: ReturnType<typeof samplePolicy>) => void = () => undefined) => {
  const policy = samplePolicy();
  bend(policy);
  return compilePolicy(loadPolicy(JSON.stringify(policy)));
};
const anApplication = aCaller({ clientId: CAPTIONS, appRoles: ['Token.Exchange'] });
const aResearcher = aCaller({ kind: 'user', scopes: ['Token.Exchange'], groups: [RESEARCHERS] });

function optionsOf(
  policy: ReturnType<typeof compilePolicy>,
  caller: Caller,
  target: string,
  kind?: 'sts' | 'entra' | 'obo',
) {
  const found = policy.target(target);
  assert.ok(found);
  return policy.options(caller, found.resource, kind).map((option) => `${option.grant.name} ${option.kind}`);
}

test('a target is known by its name and by the URLs of its endpoints, however they are spelled', () => {
  const policy = compiled((p) =>
    Object.assign(p.resources[1] ?? {}, { endpoint: 'https://Chat.Example:443/' }),
  );
  for (const [text, endpoint] of [
    ['speech', 'https://speech.example'],
    ['https://speech.example', 'https://speech.example'],
    ['https://speech.example/', 'https://speech.example'],
    ['HTTPS://Speech.Example:443', 'https://speech.example'],
    ['https://westeurope.example', 'https://westeurope.example'],
    ['https://chat.example', 'https://chat.example'],
  ] as const)
    assert.equal(policy.target(text)?.endpoint, endpoint, text);
});

test('what is no target stays none: a path, a query, a fragment, a user, another scheme, a member of Object', () => {
  const policy = compiled();
  for (const text of [
    '',
    'Speech',
    'speech*',
    '*',
    'https://speech.example/x',
    'https://speech.example?x',
    'https://speech.example#x',
    'https://u@speech.example',
    'http://speech.example',
    'https://speech.example.evil',
    'constructor',
    '__proto__',
  ])
    assert.equal(policy.target(text), undefined, text);
});

test('a regional host that several accounts share is no target: it would not say which account', () => {
  const policy = compiled((p) =>
    Object.assign(p.resources[1] ?? {}, { regionalEndpoint: 'https://WestEurope.example/' }),
  );
  assert.equal(policy.target('https://westeurope.example'), undefined);
});

test('a rule holds only when everything it names holds', () => {
  const policy = compiled();
  assert.deepEqual(optionsOf(policy, anApplication, 'speech'), ['captions sts']);
  for (const lacking of [
    { tenantId: PARTNER },
    { tenantId: '00000000-0000-4000-8000-0000000000ee' },
    { clientId: HOME },
    { appRoles: [] },
    { appRoles: ['token.exchange'] },
  ])
    assert.deepEqual(optionsOf(policy, { ...anApplication, ...lacking }, 'speech'), []);
  for (const lacking of [{ groups: [] }, { scopes: ['Token'] }, { groups: [HOME] }])
    assert.deepEqual(optionsOf(policy, { ...aResearcher, ...lacking }, 'chat'), []);
});

test('a rule by object id holds for that object alone', () => {
  const policy = compiled((p) =>
    Object.assign(p.grants[0] ?? {}, { callers: [{ tenant: 'home', objectId: anApplication.objectId }] }),
  );
  assert.deepEqual(optionsOf(policy, anApplication, 'speech'), ['captions sts']);
  assert.deepEqual(optionsOf(policy, { ...anApplication, objectId: HOME }, 'speech'), []);
});

test("any one of a grant's callers is enough", () => {
  const policy = compiled((p) =>
    Object.assign(p.grants[0] ?? {}, {
      callers: [
        { tenant: 'partner', appRole: 'Other' },
        { tenant: 'home', clientId: CAPTIONS },
      ],
    }),
  );
  assert.deepEqual(optionsOf(policy, anApplication, 'speech'), ['captions sts']);
});

test('without a wish, the kind is the first of the grant; on behalf of only where there is a user', () => {
  const policy = compiled((p) =>
    Object.assign(p.grants[1] ?? {}, { callers: [{ tenant: 'home', clientId: CAPTIONS }] }),
  );
  const user = { ...aResearcher, clientId: CAPTIONS };
  assert.deepEqual(optionsOf(policy, user, 'chat'), ['people obo']);
  assert.deepEqual(optionsOf(policy, anApplication, 'chat'), ['people entra']);
  assert.deepEqual(optionsOf(policy, user, 'chat', 'entra'), ['people entra']);
  assert.deepEqual(optionsOf(policy, anApplication, 'chat', 'obo'), ['people obo']);
  assert.deepEqual(optionsOf(policy, user, 'chat', 'sts'), []);
});

test('a kind that the resource does not give is not an option, whatever the grant says', () => {
  const policy = compiled((p) =>
    Object.assign(p.grants[0] ?? {}, { resources: ['*'], tokenKinds: ['sts', 'entra'], maxLifetime: '24h' }),
  );
  assert.deepEqual(optionsOf(policy, anApplication, 'chat'), ['captions entra']);
  assert.deepEqual(optionsOf(policy, anApplication, 'chat', 'sts'), []);
});

test('all grants that apply are options, in the order of the policy', () => {
  const policy = compiled((p) =>
    p.grants.push({
      ...p.grants[0],
      name: 'more',
      resources: ['s*'],
      tokenKinds: ['entra', 'sts'],
      maxLifetime: '2h',
    }),
  );
  assert.deepEqual(optionsOf(policy, anApplication, 'speech'), ['captions sts', 'more entra']);
  assert.deepEqual(optionsOf(policy, anApplication, 'speech', 'sts'), ['captions sts', 'more sts']);
});

test('only tenants of the policy have a name', () => {
  const policy = compiled();
  assert.equal(policy.tenantName(HOME), 'home');
  assert.equal(policy.tenantName('00000000-0000-4000-8000-0000000000ee'), undefined);
});

test('the trace names each grant of the resource, with what each condition wanted and the caller had', () => {
  const policy = compiled();
  const speech = policy.target('speech')?.resource;
  assert.ok(speech);
  const [captions, ...others] = policy.trace({ ...anApplication, appRoles: ['Other'] }, speech, 'sts');
  assert.deepEqual(others, []);
  assert.equal(captions?.grant.name, 'captions');
  assert.equal(captions?.applies, false);
  assert.deepEqual(captions?.rules, [
    [
      { condition: 'tenant', wanted: 'home', had: 'home', met: true },
      { condition: 'clientId', wanted: CAPTIONS, had: CAPTIONS, met: true },
      { condition: 'appRole', wanted: 'Token.Exchange', had: ['Other'], met: false },
    ],
  ]);
  assert.equal(policy.trace(anApplication, speech, undefined)[0]?.applies, true);
});

test('what is in shadow grants and denies nobody, and the same policy with it in force is known', () => {
  const policy = compiled((p) => {
    Object.assign(p.grants[0] ?? {}, {
      callers: [{ tenant: 'home', clientId: CAPTIONS, shadow: { group: RESEARCHERS } }],
    });
    p.grants.push({
      ...p.grants[0],
      name: 'tried',
      callers: [{ tenant: 'home', group: RESEARCHERS }],
      shadow: true,
    });
  });
  assert.deepEqual(optionsOf(policy, anApplication, 'speech'), ['captions sts']);
  assert.deepEqual(optionsOf(policy, { ...aResearcher, clientId: HOME }, 'speech'), []);
  const { enforced } = policy;
  assert.ok(enforced);
  assert.deepEqual(optionsOf(enforced, anApplication, 'speech'), []);
  assert.deepEqual(optionsOf(enforced, { ...aResearcher, clientId: HOME }, 'speech'), ['tried sts']);
  assert.equal(compiled().enforced, undefined, 'costs nothing where nothing is in shadow');
});

test('conditions that are only tried do not make a rule of a whole tenant', () => {
  for (const shadow of [{ group: RESEARCHERS }, {}])
    assert.throws(
      () => compiled((p) => Object.assign(p.grants[0] ?? {}, { callers: [{ tenant: 'home', shadow }] })),
      /every caller of the tenant|names no condition/,
    );
});

const dropped = fc.subarray(['clientId', 'objectId', 'appRole', 'scope', 'group'] as const, { minLength: 2 });

test('for every policy and caller, the options that are looked up are those that a look at each rule finds', () => {
  let options = 0;
  fc.assert(
    fc.property(
      policy,
      dropped,
      caller,
      fc.constantFrom(undefined, ...TOKEN_KINDS),
      (full, less, who, kind) => {
        // With all conditions hardly any rule would hold.
        const without = (rule: CallerRule) => ({
          ...rule,
          ...Object.fromEntries(less.map((name) => [name, undefined])),
        });
        const grants = full.grants.map(({ callers, ...rest }) => ({
          ...rest,
          callers: callers.map(without),
        }));
        const one = { ...full, grants };
        const compiled = compilePolicy(one);
        for (const each of [compiled, compiled.enforced ?? compiled])
          for (const resource of one.resources) {
            const traced = each.trace(who, resource, kind);
            const inForce = each === compiled ? one.grants.filter(({ shadow }) => !shadow) : one.grants;
            assert.deepEqual(
              traced.map(({ rules }) => rules.length),
              inForce
                .filter(({ resources }) => resources.some((pattern) => matches(pattern, resource.name)))
                .map(({ callers }) => callers.length),
            );
            const holding = traced.filter(
              ({ rules, kind: given }) =>
                given !== undefined && rules.some((rule) => rule.every(({ met }) => met)),
            );
            const found = each.options(who, resource, kind);
            assert.deepEqual(
              found.map(({ grant, kind: given }) => [grant, given]),
              holding.map(({ grant, kind: given }) => [grant, given]),
            );
            options += found.length;
          }
      },
    ),
    { numRuns: 2_000 },
  );
  assert.ok(options > 100, `the callers may have something: ${options}`);
});
