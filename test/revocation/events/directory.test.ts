import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createWatch } from '../../../src/revocation/watch.ts';
import { UpstreamFailure } from '../../../src/upstream.ts';
import { CLIENT, createWorld, GROUP, HOME, revokeBy, START_MS, USER, type World } from '../fakes.ts';

let world: World;
beforeEach(async () => {
  world = createWorld();
  await world.revocation.reconcile();
});
const keys = () => [...world.entries.keys()];
const disabled = (objectId: string) => ({ objectId, enabled: false, sessionsValidFromMs: undefined });

test('the first sweep starts from now and revokes nobody', () => {
  assert.deepEqual(keys(), []);
  assert.ok(world.records('cursor').length > 0);
});

test('an event that was lost is made good by the sweep', async () => {
  world.users.set(USER, disabled(USER));
  world.changeUsers(USER);
  await world.revocation.reconcile();
  assert.deepEqual(keys(), [`user:${HOME}:${USER}`]);
  assert.equal(world.bumps, 1);
});

test('what did not change is neither read nor announced again', async () => {
  world.users.set(USER, disabled(USER));
  world.changeUsers(USER);
  await world.revocation.reconcile();
  await world.revocation.reconcile();
  assert.equal(world.bumps, 1);
  assert.deepEqual(world.asked, [`user ${USER}`]);
});

const somebody = (n: number) => `${String(n).padStart(8, '0')}-aaaa-4bbb-8ccc-dddddddddddd`;
const changed = (objectId: string) =>
  world.revocation.react({
    id: objectId,
    type: 'Microsoft.Graph.UserUpdated',
    source: '',
    data: { resource: `Users/${objectId}` },
  });

test('300 events about users who never were leave ten entries in an hour', async () => {
  for (let n = 0; n < 300; n += 1) await changed(somebody(n));
  assert.equal(keys().length, 10);
  world.advance(3_600_000);
  for (let n = 300; n < 600; n += 1) await changed(somebody(n));
  assert.equal(keys().length, 20);
});

test('behind any number of made-up users the deleted ones are revoked at once, and the purged ones by the sweep', async () => {
  for (let n = 0; n < 100; n += 1) await changed(somebody(n));
  const [deleted, purged] = [somebody(1_000), somebody(1_001)];
  world.deletedUsers.add(deleted);
  await changed(deleted);
  assert.ok(keys().includes(`user:${HOME}:${deleted}`));
  await changed(purged);
  assert.ok(!keys().includes(`user:${HOME}:${purged}`));
  world.changeUsers(purged);
  await world.revocation.reconcile();
  assert.ok(keys().includes(`user:${HOME}:${purged}`));
});

test('a user whom the policy names is revoked when Graph no longer knows them, whatever came before', async () => {
  const [first, ...others] = world.deps.policy().grants;
  assert.ok(first);
  const callers = [{ tenant: 'home', objectId: USER }];
  const policy = () => ({ ...world.deps.policy(), grants: [{ ...first, callers }, ...others] });
  const { react } = createWatch({ ...world.deps, policy });
  for (const objectId of [...Array.from({ length: 20 }, (_, n) => somebody(n)), USER])
    await react({ id: 'x', type: 'Microsoft.Graph.UserDeleted', data: { resource: `Users/${objectId}` } });
  assert.ok(keys().includes(`user:${HOME}:${USER}`));
});

test('while Graph cannot say whether a user was deleted, the event comes again', async () => {
  const { react } = createWatch({
    ...world.deps,
    directory: {
      ...world.deps.directory,
      isDeleted: () => Promise.reject(new UpstreamFailure('graph', 'is down')),
    },
  });
  const event = { id: 'x', type: 'Microsoft.Graph.UserUpdated', data: { resource: `Users/${USER}` } };
  await assert.rejects(react(event), UpstreamFailure);
});

test('users who only changed their name are not revoked, nor those whose sessions ended long ago', async () => {
  world.users.set(USER, { objectId: USER, enabled: true, sessionsValidFromMs: START_MS - 40 * 3_600_000 });
  world.changeUsers(USER);
  await world.revocation.reconcile();
  assert.deepEqual(keys(), []);
});

test('a sweep that fails in the middle is done again from where it was', async () => {
  world.users.set(USER, disabled(USER));
  world.changeUsers(USER);
  world.down.add('head');
  await assert.rejects(world.revocation.reconcile(), UpstreamFailure);
  world.down.delete('head');
  // The directory gives the same page again for the same cursor.
  world.changeUsers(USER);
  await world.revocation.reconcile();
  assert.ok(world.bumps > 0);
  assert.deepEqual(keys(), [`user:${HOME}:${USER}`]);
});

test('a group that thousands left is not thousands of writes at once, of which none would be in time', async () => {
  let atOnce = 0;
  let most = 0;
  const { reconcile } = createWatch({
    ...world.deps,
    table: {
      ...world.deps.table,
      update: async (...change) => {
        most = Math.max(most, ++atOnce);
        await new Promise(setImmediate);
        atOnce -= 1;
        return world.deps.table.update(...change);
      },
    },
  });
  const left = Array.from(
    { length: 500 },
    (_, n) => `${String(n).padStart(8, '0')}-aaaa-4bbb-8ccc-dddddddddddd`,
  );
  world.changeGroups({ groupId: GROUP, deleted: false, removedMembers: left });
  await reconcile();
  assert.deepEqual([keys().length, world.bumps], [500, 1]);
  assert.ok(most <= 16, String(most));
});

test('what cannot be forgotten in one tick keeps nobody from being read', async () => {
  world.users.set(USER, disabled(USER));
  world.changeUsers(USER);
  const { reconcile } = createWatch({
    ...world.deps,
    sweepLedger: () => Promise.reject(new UpstreamFailure('tables', 'sweep ledger: no answer in time')),
  });
  world.advance(3_600_000);
  await assert.rejects(reconcile(), UpstreamFailure);
  assert.deepEqual(keys(), [`user:${HOME}:${USER}`]);
});

test('a cursor that is too old starts from now, and the log says so', async () => {
  await world.deps.events.replace('cursor', 'users', { cursor: 'too old' }, START_MS * 2);
  await world.revocation.reconcile();
  assert.ok(world.logged.some((line) => line.startsWith('directory_cursor_expired')));
});

test('whoever left a group of the policy must show a fresh token', async () => {
  world.changeGroups({ groupId: GROUP, deleted: false, removedMembers: [USER, CLIENT] });
  const event = {
    id: 'g',
    type: 'Microsoft.Graph.GroupUpdated',
    source: '',
    data: { resource: `Groups/${GROUP}` },
  };
  assert.equal(await world.revocation.react(event), 'groups read again');
  assert.deepEqual(keys().sort(), [`user:${HOME}:${CLIENT}`, `user:${HOME}:${USER}`].sort());
  assert.equal(world.bumps, 1);
});

test('100 events about groups that come together are two questions to Graph', async () => {
  let asked = 0;
  const { react } = createWatch({
    ...world.deps,
    directory: {
      ...world.deps.directory,
      groupChanges: (...what) => {
        asked += 1;
        return world.deps.directory.groupChanges(...what);
      },
    },
  });
  const event = { type: 'Microsoft.Graph.GroupUpdated', source: '', data: { resource: `Groups/${GROUP}` } };
  const first = react({ ...event, id: 'first' });
  await new Promise(setImmediate);
  await Promise.all([first, ...Array.from({ length: 99 }, (_, n) => react({ ...event, id: String(n) }))]);
  assert.ok(asked <= 2, String(asked));
});

test('a group that was deleted cuts off its grants: fresh tokens no longer hold it', async () => {
  world.changeGroups({ groupId: GROUP, deleted: true, removedMembers: [] });
  await world.revocation.reconcile();
  assert.deepEqual(keys(), ['grant:people']);
});

test('an outage of Graph does not keep spent entries', async () => {
  await revokeBy(world, { scope: { kind: 'grant', name: 'people' } }, 'olga');
  world.advance(40 * 3_600_000);
  world.down.add('graph');
  await assert.rejects(world.revocation.reconcile(), UpstreamFailure);
  assert.deepEqual(keys(), []);
});
