import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createRevocation } from '../../src/revocation/revocation.ts';
import { createWatch } from '../../src/revocation/watch.ts';
import { createWorld, HOME, revokeBy, START_MS, USER, type World } from './fakes.ts';

let world: World;
beforeEach(() => {
  world = createWorld();
});
const scope = { kind: 'user', tenantId: HOME, objectId: USER } as const;

const kindOf = (answer: object | boolean): unknown =>
  typeof answer === 'object' && 'kind' in answer ? answer.kind : answer;

test('what is revoked is listed with the time it took and the last token that can still live', async () => {
  const effect = await revokeBy(world, { scope, reason: 'left' }, 'olga');
  assert.ok(!('problem' in effect));
  assert.equal(effect.inForceAtMs, START_MS);
  const [listed] = await world.revocation.operate.list();
  assert.deepEqual(listed, {
    key: `user:${HOME}:${USER}`,
    scope,
    cutOff: '2026-03-04T10:17:31.000Z',
    blocked: false,
    reason: 'left',
    source: 'operator olga',
    receivedAt: '2026-03-04T10:15:30.000Z',
    inForceAt: '2026-03-04T10:15:30.000Z',
    timeToEffectMs: 0,
    lastTokenUntil: '2026-03-04T12:15:30.000Z',
  });
});

test('a block of long ago is still listed with its times', async () => {
  await revokeBy(world, { scope, block: true }, 'olga');
  world.advance(90 * 86_400_000);
  await world.revocation.reconcile();
  const [listed] = await world.revocation.operate.list();
  assert.equal(listed?.blocked, true);
  assert.equal(listed?.inForceAt, '2026-03-04T10:15:30.000Z');
});

test('of ten thousand effects in thirty days the latest thousand are shown', async () => {
  for (let n = 0; n < 10_000; n += 1) {
    const receivedAt = new Date(START_MS + n).toISOString();
    await world.deps.events.keepFirst('effect', `${receivedAt} key`, { receivedAt }, Number.MAX_SAFE_INTEGER);
  }
  world.advance(20_000);
  const shown = await world.revocation.operate.effects();
  assert.equal(shown.length, 1_000);
  assert.equal(shown.at(-1)?.['receivedAt'], new Date(START_MS + 9_999).toISOString());
});

test('behind more effects than one list holds, the latest are shown, and each entry has its times', async () => {
  const { operate } = world.revocation;
  for (let n = 0; n < 10_000; n += 1) {
    const receivedAt = new Date(START_MS + n).toISOString();
    await world.deps.events.keepFirst('effect', `${receivedAt} key`, { receivedAt }, Number.MAX_SAFE_INTEGER);
  }
  world.advance(3 * 3_600_000);
  await revokeBy(world, { scope }, 'olga');
  assert.deepEqual(
    (await operate.effects()).map(({ source }) => source),
    ['operator olga'],
  );
  const [listed] = await operate.list();
  assert.equal(listed?.inForceAt, new Date(START_MS + 3 * 3_600_000).toISOString());
});

test('the last token of a resource with key-exchange tokens lives ten minutes at most', async () => {
  const effect = await revokeBy(world, { scope: { kind: 'resource', name: 'speech' } }, 'olga');
  assert.ok(!('problem' in effect));
  assert.equal(effect.lastTokenUntilMs - effect.inForceAtMs, 600_000);
});

test('where a check may be stale, in force is when the last stale one ends', async () => {
  const { createRevocation } = await import('../../src/revocation/revocation.ts');
  const { operate } = createRevocation({ ...world.deps, freshnessMs: 2_000 });
  const effect = await revokeBy({ revocation: { operate }, deps: world.deps }, { scope }, 'olga');
  assert.ok(!('problem' in effect));
  assert.equal(effect.inForceAtMs - effect.receivedAtMs, 2_000);
});

test('a lift is announced, recorded with who did it, and leaves the cut-off', async () => {
  await revokeBy(world, { scope, block: true }, 'olga');
  assert.equal(await world.revocation.operate.lift(scope, 'oskar'), true);
  assert.equal(world.bumps, 2);
  const [listed] = await world.revocation.operate.list();
  assert.equal(listed?.blocked, false);
  assert.equal(listed?.cutOff, '2026-03-04T10:17:31.000Z');
  assert.ok(
    world.records('effect').some(({ source, reason }) => source === 'operator oskar' && reason === 'lifted'),
  );
});

test('lifting what is not blocked changes nothing and says so', async () => {
  assert.equal(await world.revocation.operate.lift(scope, 'oskar'), false);
  assert.equal(world.entries.size, 0);
});

test('a block of what has left the policy can still be lifted, and an event about it is kept by its name', async () => {
  const gone = { kind: 'grant', name: 'people' } as const;
  await revokeBy(world, { scope: gone, block: true }, 'olga');
  const policy = () => ({ ...world.deps.policy(), grants: [] });
  const { operate, react } = createRevocation({ ...world.deps, policy });
  assert.equal(await operate.lift(gone, 'oskar'), true);
  const type = 'AzureAiTokenBroker.RevocationRequested';
  assert.equal(await react({ id: 'x', type, data: { scope: { ...gone, name: 'apps', more: 1 } } }), 'poison');
  assert.match(world.records('poison')[0]?.['why'] ?? '', /no grant apps in the policy/);
});

test('a request that makes no sense is answered in words', async () => {
  for (const request of [{}, { scope: 'x' }, { scope: { kind: 'resource', name: 'nope' } }])
    assert.equal(kindOf(await revokeBy(world, request, 'olga')), 'invalid');
  assert.equal(kindOf(await world.revocation.operate.readLift({ scope: { kind: 'x' } })), 'invalid');
  assert.equal(world.bumps, 0);
});

test('entries are forgotten when nothing they deny can live, blocks never', async () => {
  await revokeBy(world, { scope }, 'olga');
  await revokeBy(world, { scope: { kind: 'grant', name: 'people' }, block: true }, 'olga');
  world.advance(28 * 3_600_000);
  await world.revocation.reconcile();
  assert.equal(world.entries.size, 2);
  world.advance(3 * 3_600_000);
  await world.revocation.reconcile();
  assert.deepEqual([...world.entries.keys()], ['grant:people']);
});

test('what is revoked anew while old entries are being forgotten stays', async () => {
  await revokeBy(world, { scope }, 'olga');
  world.advance(31 * 3_600_000);
  const { table } = world.deps;
  const { reconcile } = createWatch({
    ...world.deps,
    table: {
      ...table,
      list: async () => {
        const entries = await table.list();
        await revokeBy(world, { scope }, 'olga');
        return entries;
      },
    },
  });
  await reconcile();
  assert.ok(world.entries.has(`user:${HOME}:${USER}`));
});
