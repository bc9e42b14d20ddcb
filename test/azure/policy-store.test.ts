import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createAnnouncements } from '../../src/azure/announcements.ts';
import { createPolicyStore } from '../../src/azure/policy-store.ts';
import { createTables } from '../../src/azure/tables.ts';
import type { InForce } from '../../src/policy/store.ts';
import { versionOf } from '../../src/policy/version.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { startAzurite } from './azurite.ts';

const azurite = await startAzurite();
after(() => azurite[Symbol.asyncDispose]());
const tables = createTables(azurite.url, {
  getToken: () => Promise.reject(new Error('on loopback no credential is asked for')),
});
const store = createPolicyStore(tables);
const first: InForce = {
  version: versionOf('first'),
  serial: 1,
  how: 'packaged',
  by: 'the app',
  reason: 'the first policy',
  at: '2026-11-27T00:00:00.000Z',
};

test('a text of megabytes, in characters of every kind, comes back as it was kept; kept again it stays', async () => {
  const text = JSON.stringify([`${'policy ä€😀"\\'.repeat(150_000)}end`]);
  const version = versionOf(text);
  await store.keep(version, text);
  await store.keep(version, text);
  assert.equal((await store.text(version)) === text, true);
  assert.equal((await store.text(version.slice(0, 12))) === text, true, 'by its first digits too');
  assert.equal(await store.text(versionOf('another')), undefined);
});

test('a version of which a part is missing is an outage, and never a shorter policy', async () => {
  const text = JSON.stringify(['x'.repeat(700_000)]);
  const version = versionOf(text);
  await store.keep(version, text);
  await (await tables('policy')).deleteEntity(version, '0001');
  await assert.rejects(store.text(version), UpstreamFailure);
});

test('of several pointers at once one is written, and of the history each number once', async () => {
  assert.equal(await store.pointer(), undefined);
  const begun = await Promise.all([1, 2, 3].map((n) => store.point({ ...first, by: `app ${n}` }, undefined)));
  assert.deepEqual(begun.toSorted(), ['moved', 'moved', 'pointed']);
  const pointer = await store.pointer();
  assert.ok(pointer);
  const { etag, ...was } = pointer;
  const next = (n: number): InForce => ({
    ...first,
    version: versionOf(`${n}`),
    serial: 2,
    how: 'applied',
    commit: 'c',
  });
  await Promise.all([store.remember(was), store.remember(was)]);
  const moved = await Promise.all([1, 2, 3].map((n) => store.point(next(n), pointer)));
  assert.deepEqual(moved.toSorted(), ['moved', 'moved', 'pointed']);
  assert.equal((await store.pointer())?.serial, 2);
  assert.equal((await store.pointer())?.commit, 'c');
  assert.equal(await store.point(next(4), { ...pointer, etag }), 'moved');
  await store.remember(next(2));
  assert.deepEqual(
    (await store.history(10, undefined)).map(({ serial }) => serial),
    [2, 1],
  );
  assert.deepEqual(
    (await store.history(10, 2)).map(({ version }) => version),
    [first.version],
  );
  assert.equal((await store.history(1, undefined)).length, 1);
  assert.equal(await store.wasInForce(first.version), true);
  assert.equal(await store.wasInForce(versionOf('never')), false);
});

test('an instance is alive until its time is over, and what is over is swept', async () => {
  const announcements = createAnnouncements(tables);
  await announcements.say({ instance: 'a', members: ['grants', 'grants.name'] }, 1_000);
  await announcements.say({ instance: 'b', members: ['grants'] }, 3_000);
  await announcements.say({ instance: 'a', members: ['grants', 'grants.name'] }, 2_000);
  const alive = async (nowMs: number) => (await announcements.alive(nowMs)).map(({ instance }) => instance);
  assert.deepEqual(await alive(1_500), ['a', 'b']);
  assert.deepEqual(await alive(2_500), ['b']);
  await announcements.sweep(2_500);
  assert.deepEqual(await alive(0), ['b']);
});
