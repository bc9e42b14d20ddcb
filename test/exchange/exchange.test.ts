import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortVersion } from '../../src/policy/version.ts';
import { aCaller } from './caller.ts';
import { ada, bob, captions, denied, granted } from './people.ts';
import { createWorld } from './world.ts';

test('a grant is on record, with who, what, under which grant, and the fingerprint of the token', async () => {
  const world = createWorld();
  const answer = granted(await world.ask(captions, 'speech'));
  assert.equal(answer.kind, 'sts');
  assert.equal(answer.grant, 'captions');
  assert.deepEqual(world.audit, [
    {
      at: new Date(world.nowMs).toISOString(),
      instance: 'instance-1',
      outcome: 'granted',
      correlationId: 'correlation-1',
      policy: shortVersion(world.rules.version),
      tenantId: captions.tenantId,
      clientId: captions.clientId,
      objectId: captions.objectId,
      uti: captions.uti,
      claims: {
        kind: 'application',
        issuedAt: captions.issuedAtSeconds,
        appRoles: ['Token.Exchange'],
      },
      resource: 'speech',
      grant: 'captions',
      tokenKind: 'sts',
      token: answer.token.sha256.slice(0, 16),
      expiresAt: new Date(answer.expiresAtMs).toISOString(),
    },
  ]);
});

test('all grants that apply are considered: what one refuses the next may give', async () => {
  const world = createWorld({
    policy: ({ grants }) => {
      grants.push({ ...grants[0], name: 'second' });
    },
  });
  world.revoke({ kind: 'grant', name: 'captions' }, { blocked: true });
  assert.equal(granted(await world.ask(captions, 'speech')).grant, 'second');
  assert.deepEqual(
    world.audit.map(({ outcome, grant }) => [outcome, grant]),
    [['granted', 'second']],
  );
});

test('when no grant gives a token, the first refusal is what the caller hears and the audit keeps', async () => {
  const world = createWorld({
    policy: ({ grants }) => {
      grants.push({ ...grants[0], name: 'second' });
    },
  });
  world.revoke({ kind: 'grant', name: 'captions' }, { blocked: true });
  for (let left = 60; left > 0; left -= 1) granted(await world.ask(captions, 'speech'));
  world.audit.length = 0;
  assert.equal(denied(await world.ask(captions, 'speech')).kind, 'revoked');
  assert.deepEqual(
    world.audit.map(({ grant, reason: why }) => [grant, why]),
    [['captions', 'revoked: grant captions']],
  );
});

test("Entra's refusal of a user is not passed by: no other grant's application token in its place", async () => {
  const world = createWorld({
    policy: ({ grants }) => {
      grants.push({ ...grants[1], name: 'second', tokenKinds: ['entra'] });
    },
  });
  world.refusal = { refused: 'interaction_required', claims: '{}' };
  assert.equal(denied(await world.ask(ada, 'chat')).kind, 'interaction_required');
  assert.equal(world.calls.entra, 1);
});

test('callers of one account share its key-exchange token; users never share what is theirs', async () => {
  const world = createWorld();
  const other = { ...captions, objectId: bob.objectId, uti: 'uti-other' };
  const first = granted(await world.ask(captions, 'speech'));
  const second = granted(await world.ask(other, 'speech'));
  assert.equal(first.token.reveal(), second.token.reveal());

  const ofAda = granted(await world.ask(ada, 'chat')).token.reveal();
  const ofBob = granted(await world.ask(bob, 'chat')).token.reveal();
  const ofAdaAgain = granted(await world.ask(ada, 'chat')).token.reveal();
  const ofAdaElsewhere = granted(await world.ask({ ...ada, uti: 'uti-2' }, 'chat')).token.reveal();
  assert.equal(ofAda, ofAdaAgain);
  assert.equal(new Set([ofAda, ofBob, ofAdaElsewhere]).size, 3);
  assert.ok(ofAda.includes(ada.objectId) && ofBob.includes(bob.objectId));

  const byApplication = granted(await world.ask(ada, 'chat', { tokenKind: 'entra' })).token.reveal();
  assert.ok(![ofAda, ofBob].includes(byApplication));
});

test('two callers with different grants never share what one may not have, however they interleave', async () => {
  const world = createWorld();
  const asked = Array.from({ length: 40 }, (_, index) =>
    index % 2 === 0
      ? world.ask(captions, index % 4 === 0 ? 'speech' : 'chat')
      : world.ask(ada, index % 4 === 1 ? 'chat' : 'speech'),
  );
  for (const [index, answer] of (await Promise.all(asked)).entries()) {
    const may = index % 4 < 2;
    assert.equal('token' in answer, may, String(index));
    if ('token' in answer)
      assert.ok(answer.token.reveal().startsWith(index % 2 === 0 ? 'sts-' : `obo-token of ${ada.objectId}`));
  }
});

test("a scope that is the target's own changes nothing", async () => {
  const world = createWorld();
  granted(await world.ask(captions, 'speech', { scope: 'https://cognitiveservices.azure.com/.default' }));
});

test("a resource's own limit binds its grants", async () => {
  const world = createWorld({
    policy: ({ resources }) => Object.assign(resources[1] ?? {}, { maxLifetime: '90m' }),
  });
  world.entraLifeMs = 100 * 60_000;
  assert.equal(denied(await world.ask(ada, 'chat')).kind, 'lifetime_unmet');
});

test('each caller has its own rate, and it fills up again', async () => {
  const world = createWorld();
  for (let left = 60; left > 0; left -= 1) granted(await world.ask(captions, 'speech'));
  const refusal = denied(await world.ask(captions, 'speech'));
  assert.equal(refusal.kind, 'rate_limited');
  granted(await world.ask({ ...captions, objectId: bob.objectId }, 'speech'));
  world.nowMs += 1000;
  granted(await world.ask(captions, 'speech'));
});

test('1,000 callers in ten minutes cost at most two calls of issueToken', async () => {
  const world = createWorld({
    policy: ({ grants }) => Object.assign(grants[0] ?? {}, { rate: { count: 1000, per: '1m' } }),
  });
  const callers = Array.from({ length: 1000 }, (_, index) =>
    aCaller({ ...captions, objectId: `object-${index}`, uti: `uti-${index}` }),
  );
  for (let step = 0; step < 60; step += 1) {
    const some = callers.filter((_, index) => index % 60 === step);
    for (const answer of await Promise.all(some.map((caller) => world.ask(caller, 'speech'))))
      granted(answer);
    world.nowMs += 10_000;
  }
  assert.ok(world.calls.issueToken <= 2, `${world.calls.issueToken} calls`);
  assert.equal(world.audit.length, 1000);
});
