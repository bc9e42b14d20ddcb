import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeCaller } from '../../src/local/may.ts';
import { demoPolicy, resources } from '../../src/local/simulated/demo.ts';
import { callers } from '../../src/local/simulated/demo-directory.ts';
import { loadPolicy } from '../../src/policy/load.ts';

const addresses = new Map(
  resources.map(({ name }) => [
    name,
    { endpoint: `https://${name}.example`, regionalEndpoint: `https://${name}.region.example` },
  ]),
);
const demo = demoPolicy(addresses, 'https://entra.example', 0);
const mayOf = (name: string, policy: object) => {
  const caller = callers.find((one) => one.name === name) ?? assert.fail(name);
  return describeCaller(caller, loadPolicy(JSON.stringify(policy))).may;
};

test('a caller is described with what the policy in force lets it have, its default first', () => {
  assert.deepEqual(mayOf('captions', demo), [{ resource: 'speech', tokenKinds: ['sts'] }]);
  assert.deepEqual(mayOf('ada', demo), [{ resource: 'chat', tokenKinds: ['obo'] }]);
  for (const nobody of ['operator', 'auditor', 'outsider']) assert.deepEqual(mayOf(nobody, demo), []);
});

test('another policy makes another description', () => {
  const grants = demo.grants.filter(({ name }) => name !== 'captions');
  assert.deepEqual(mayOf('captions', { ...demo, grants }), []);
  const [first] = demo.grants;
  const wider = [{ ...first, resources: ['s*', 'translator'] }];
  assert.deepEqual(
    mayOf('captions', { ...demo, grants: wider }).map(({ resource }) => resource),
    ['speech', 'translator'],
  );
});

test('what only the simulated Entra knows of a caller is not in its description', () => {
  for (const caller of callers)
    assert.ok(!('rights' in describeCaller(caller, loadPolicy(JSON.stringify(demo)))));
});
