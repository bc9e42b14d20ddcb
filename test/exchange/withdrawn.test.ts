/** What was granted once and may not be handed out any more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../src/secret.ts';
import { ada, captions, denied, granted } from './people.ts';
import { createWorld } from './world.ts';

test('a token revoked by its own text is not handed out again: the next is bought', async () => {
  const world = createWorld();
  const first = granted(await world.ask(captions, 'speech'));
  world.revoke({ kind: 'issued', sha256: first.token.sha256 });
  const second = granted(await world.ask(captions, 'speech'));
  assert.notEqual(first.token.reveal(), second.token.reveal());
  assert.equal(granted(await world.ask(captions, 'speech')).token.reveal(), second.token.reveal());
});

test('a token revoked in the second in which it was bought is replaced by one of the next, bought once', async () => {
  const world = createWorld();
  world.stsBySecond = true;
  const first = granted(await world.ask(captions, 'speech'));
  world.revoke({ kind: 'issued', sha256: first.token.sha256 });
  const answers = await Promise.all(Array.from({ length: 5 }, () => world.ask(captions, 'speech')));
  for (const answer of answers) assert.notEqual(granted(answer).token.reveal(), first.token.reveal());
  assert.equal(world.calls.issueToken, 2);
  assert.equal(world.waitedMs, 1000);
});

test('an instance that buys the like of a token revoked elsewhere in that second hands out the next', async () => {
  const world = createWorld();
  world.stsBySecond = true;
  const elsewhere = new Secret(`sts-token-of-${Math.floor(world.nowMs / 1000)}`);
  world.revoke({ kind: 'issued', sha256: elsewhere.sha256 });
  assert.notEqual(granted(await world.ask(captions, 'speech')).token.reveal(), elsewhere.reveal());
  assert.equal(world.calls.issueToken, 2);
  assert.equal(world.audit.length, 1);
});

test('after an emergency no token of the withdrawn key is handed out', async () => {
  const world = createWorld();
  const first = granted(await world.ask(captions, 'speech'));
  world.key = { slot: 'Key2', version: 'v2', value: 'key-two' };
  world.liveKeys = new Set(['key-two']);
  world.setSlots('speech', { generation: 1, retiring: undefined, epoch: 1 });
  const second = granted(await world.ask(captions, 'speech'));
  assert.notEqual(first.token.reveal(), second.token.reveal());
  assert.deepEqual([second.slot, second.epoch, second.generation], ['Key2', 1, 1]);
});

test('after a promotion the held token serves on while the next is bought in the background', async () => {
  const world = createWorld();
  const first = granted(await world.ask(captions, 'speech'));
  world.key = { slot: 'Key2', version: 'v2', value: 'key-two' };
  world.liveKeys.add('key-two');
  world.setSlots('speech', { generation: 1, retiring: 'Key1', epoch: 0 });
  world.nowMs += 20_000;
  assert.equal(granted(await world.ask(captions, 'speech')).token.reveal(), first.token.reveal());
  const slots: (string | undefined)[] = [];
  for (let left = 10; left > 0; left -= 1) slots.push(granted(await world.ask(captions, 'speech')).slot);
  assert.equal(slots.at(-1), 'Key2');
  assert.equal(world.calls.issueToken, 2);
  assert.ok(world.declared.every(({ slot }, index) => slot === (index === 0 ? 'Key1' : 'Key2')));
});

test('revoked while in flight: what was bought is not handed out, and the record says so', async () => {
  for (const where of ['vault', 'issueToken', 'declare'] as const) {
    const world = createWorld();
    const gate = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    world.hold.set(where, () => {
      reached.resolve();
      return gate.promise;
    });
    const asked = world.ask(captions, 'speech');
    await reached.promise;
    world.revoke({ kind: 'token', tenantId: captions.tenantId, uti: captions.uti });
    gate.resolve();
    assert.equal(denied(await asked).kind, 'revoked', where);
    const record = world.audit.map(({ outcome }) => outcome);
    assert.deepEqual(record, ['granted', 'withheld', 'refused'], where);
    assert.equal(world.audit[0]?.token, world.audit[1]?.token);
  }
});

test('nothing is bought for a caller whose access has ended, even where this instance has not heard of it', async () => {
  const world = createWorld();
  granted(await world.ask(ada, 'chat', { tokenKind: 'entra' }));
  world.revoke({ kind: 'tenant', tenantId: captions.tenantId });
  assert.equal(denied(await world.ask(captions, 'speech')).kind, 'revoked');
  assert.equal(world.calls.issueToken, 0);
});

test('what was lifted is lifted at once: a refusal is as fresh as a grant', async () => {
  const world = createWorld();
  const scope = { kind: 'resource', name: 'speech' } as const;
  world.revoke(scope, { blocked: true });
  denied(await world.ask(captions, 'speech'));
  world.lift(scope);
  granted(await world.ask(captions, 'speech'));
});

test('a caller token issued after the cut-off is accepted again, one of the very second is not', async () => {
  const world = createWorld();
  world.revoke({ kind: 'client', tenantId: captions.tenantId, clientId: captions.clientId });
  const cutOffSeconds = Math.floor(world.nowMs / 1000) + 1;
  denied(await world.ask({ ...captions, uti: 'a', issuedAtSeconds: cutOffSeconds - 1 }, 'speech'));
  world.nowMs += 2000;
  granted(await world.ask({ ...captions, uti: 'b', issuedAtSeconds: cutOffSeconds }, 'speech'));
});

test('where one grant is blocked and a newer token would do under the other, the caller hears of the newer token', async () => {
  const world = createWorld({
    policy: ({ grants }) => {
      grants.push({ ...grants[0], name: 'again' });
    },
  });
  world.revoke({ kind: 'client', tenantId: captions.tenantId, clientId: captions.clientId });
  world.revoke({ kind: 'grant', name: 'captions' }, { blocked: true });
  const denial = denied(await world.ask(captions, 'speech'));
  assert.ok(denial.kind === 'revoked' && denial.acceptedFromSeconds !== undefined);
  world.nowMs += 2_000;
  const issuedAtSeconds = denial.acceptedFromSeconds;
  assert.equal(granted(await world.ask({ ...captions, uti: 'b', issuedAtSeconds }, 'speech')).grant, 'again');
});
