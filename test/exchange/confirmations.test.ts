import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConfirmations } from '../../src/exchange/confirmations.ts';
import { compileVersion } from '../../src/policy/version.ts';
import { HOME, samplePolicy } from '../policy/sample.ts';
import { ada, captions } from './people.ts';
import { createWorld } from './world.ts';

type Source = ReturnType<typeof samplePolicy>;
const NOBODY = { requests: [], unkept: 0 };
const versionOf = (bend: (policy: Source) => void = () => undefined) => {
  const source = samplePolicy();
  bend(source);
  return compileVersion(JSON.stringify(source));
};
const needed = (
  bend: (policy: Source) => void,
  recorded: Parameters<ReturnType<typeof createConfirmations>>[2] = NOBODY,
) => createConfirmations(HOME)(versionOf(), versionOf(bend), recorded).map(({ name }) => name);

test('a change that touches nobody needs no confirmation', () => {
  assert.deepEqual(
    needed(({ grants: [first] }) => Object.assign(first ?? {}, { rate: { count: 7, per: '1m' } })),
    [],
  );
});

test('the home tenant cannot leave the policy unconfirmed, because all operators would be out', () => {
  const without = needed((policy) => {
    const home = policy.tenants.find(({ id }) => id === HOME)?.name;
    policy.tenants.splice(0, policy.tenants.length, ...policy.tenants.filter(({ id }) => id !== HOME));
    if (policy.tenants.length === 0)
      policy.tenants.push({ name: 'home', id: '00000000-0000-4000-8000-00000000000f' });
    else Object.assign(policy.tenants[0] ?? {}, { name: home });
  });
  assert.ok(without.includes('operators-lose-access'), without.join());
});

test('a grant to whoever can have a scope is a grant to a whole tenant', () => {
  const opened = needed(({ grants: [first] }) =>
    Object.assign(first ?? {}, { callers: [{ tenant: 'home', scope: 'Token.Exchange' }] }),
  );
  assert.deepEqual(opened, ['whole-tenant-gains']);
});

test('a change that gives more than a tenth of the callers of last week another answer needs a yes', async () => {
  const world = createWorld();
  await world.ask(captions, 'speech');
  await world.ask(ada, 'chat');
  const requests = world.audit.map((record) => ({ record, count: 1 }));
  const none = ({ grants }: Source): void => {
    for (const grant of grants)
      Object.assign(grant, {
        callers: [{ tenant: 'home', objectId: '00000000-0000-4000-8000-0000000000ee' }],
      });
  };
  assert.deepEqual(needed(none, { requests, unkept: 0 }), ['many-callers-touched']);
  // One of 21 is less than a tenth.
  const others = Array.from({ length: 20 }, (_, index) => ({
    record: {
      ...(world.audit[1] ?? assert.fail()),
      objectId: `00000000-0000-4000-8000-0000000001${10 + index}`,
    },
    count: 1,
  }));
  const bend = ({ grants: [first] }: Source): void =>
    none({ grants: first === undefined ? [] : [first] } as Source);
  const [touched] = requests;
  assert.ok(touched);
  const few = needed(bend, { requests: [touched, ...others], unkept: 0 });
  assert.ok(!few.includes('many-callers-touched'), few.join());
});
