import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpstreamFailure } from '../../src/upstream.ts';
import { aCaller } from './caller.ts';
import { ada, captions, granted } from './people.ts';
import { createWorld } from './world.ts';

for (const [service, caller, target] of [
  ['tables', captions, 'speech'],
  ['keyvault', captions, 'speech'],
  ['sts', captions, 'speech'],
  ['entra', ada, 'chat'],
  ['identity', aCaller({ appRoles: ['Vision'] }), 'vision'],
] as const)
  test(`${service} down is neither a grant nor a denial, and over when it is over`, async () => {
    const world = createWorld({
      policy: ({ grants }) => {
        grants.push({
          ...grants[0],
          name: 'seeing',
          callers: [{ tenant: 'home', appRole: 'Vision' }],
          resources: ['vision'],
          tokenKinds: ['entra'],
          maxLifetime: '24h',
        });
      },
    });
    world.outage.add(service);
    await assert.rejects(world.ask(caller, target), UpstreamFailure);
    assert.deepEqual(world.audit, []);
    world.outage.clear();
    world.nowMs += 1_000;
    granted(await world.ask(caller, target));
    assert.equal(world.audit.length, 1);
  });

test('no record, no token: with the audit down there is no grant and no denial', async () => {
  const world = createWorld();
  granted(await world.ask(captions, 'speech'));
  world.auditFails = true;
  await assert.rejects(world.ask(captions, 'speech'), UpstreamFailure);
  await assert.rejects(world.ask(captions, 'nothing'), UpstreamFailure);
  world.auditFails = false;
  granted(await world.ask(captions, 'speech'));
});

test('an outage uses up no rate: it does not end in a denial', async () => {
  const world = createWorld({
    policy: ({ grants }) => {
      for (const grant of grants) grant.rate = { count: 2, per: '10m' };
    },
  });
  world.outage.add('tables');
  for (let tries = 5; tries > 0; tries -= 1)
    await assert.rejects(world.ask(captions, 'speech'), UpstreamFailure);
  world.outage.clear();
  world.outage.add('sts');
  for (let tries = 5; tries > 0; tries -= 1) {
    await assert.rejects(world.ask(captions, 'speech'), UpstreamFailure);
    world.nowMs += 1_000;
  }
  world.outage.clear();
  granted(await world.ask(captions, 'speech'));
});

test('no look at the head, no token: and a grant already on record is withdrawn there', async () => {
  const world = createWorld();
  granted(await world.ask(captions, 'speech'));
  world.audit.length = 0;
  world.outage.add('tables');
  await assert.rejects(world.ask(captions, 'speech'), UpstreamFailure);
  assert.deepEqual(
    world.audit.map(({ outcome }) => outcome),
    ['granted', 'withheld'],
  );
});

test('a state that never stands still is an outage, not an endless wait', async () => {
  const world = createWorld();
  let epoch = 0;
  world.hold.set('issueToken', async () => {
    epoch += 1;
    world.setSlots('speech', { generation: 0, retiring: undefined, epoch });
  });
  await assert.rejects(world.ask(captions, 'speech'), /the shared state keeps moving/);
  assert.ok(world.audit.every(({ outcome }) => outcome !== 'refused'));
});
