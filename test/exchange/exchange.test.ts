import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Denial, reason } from '../../src/denial.ts';
import type { Granted } from '../../src/exchange/exchange.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { RESEARCHERS } from '../policy/sample.ts';
import { aCaller } from './caller.ts';
import { createWorld, type World } from './world.ts';

const captions = aCaller({ appRoles: ['Token.Exchange'] });
const ada = aCaller({
  kind: 'user',
  objectId: '00000000-0000-4000-8000-0000000000d1',
  clientId: '00000000-0000-4000-8000-0000000000d2',
  uti: 'uti-ada',
  scopes: ['Token.Exchange'],
  groups: [RESEARCHERS],
});
const bob = { ...ada, objectId: '00000000-0000-4000-8000-0000000000d3', uti: 'uti-bob' };

function granted(answer: Granted | Denial): Granted {
  assert.ok('token' in answer, JSON.stringify(answer));
  return answer;
}
function denied(answer: Granted | Denial): Denial {
  assert.ok(!('token' in answer));
  return answer;
}

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
      tenantId: captions.tenantId,
      clientId: captions.clientId,
      objectId: captions.objectId,
      uti: captions.uti,
      resource: 'speech',
      grant: 'captions',
      tokenKind: 'sts',
      token: answer.token.sha256.slice(0, 16),
      expiresAt: new Date(answer.expiresAtMs).toISOString(),
    },
  ]);
});

interface Row {
  readonly what: string;
  readonly run: (world: World) => Promise<Granted | Denial>;
  readonly denial: Denial;
  readonly row: object;
}
const who = {
  tenantId: captions.tenantId,
  clientId: captions.clientId,
  objectId: captions.objectId,
  uti: captions.uti,
};
const underCaptions = { ...who, resource: 'speech', grant: 'captions', tokenKind: 'sts' };
const whoAda = { tenantId: ada.tenantId, clientId: ada.clientId, objectId: ada.objectId, uti: ada.uti };
const underPeople = { ...whoAda, resource: 'chat', grant: 'people', tokenKind: 'obo' };

const rows: readonly Row[] = [
  {
    what: 'a request that could not be read',
    run: (world) => world.exchange({ kind: 'request_malformed', detail: 'say what' }, 'correlation-1'),
    denial: { kind: 'request_malformed', detail: 'say what' },
    row: {},
  },
  {
    what: 'a token that is not accepted',
    run: (world) =>
      world.exchange(
        { subjectToken: 'x', target: 'speech', tokenKind: undefined, scope: undefined },
        'correlation-1',
      ),
    denial: { kind: 'caller_unverified', fault: 'signature' },
    row: {},
  },
  {
    what: 'a target that is not there',
    run: (world) => world.ask(captions, 'nothing'),
    denial: { kind: 'target_unknown', target: 'nothing' },
    row: who,
  },
  {
    what: 'a target of others',
    run: (world) => world.ask(captions, 'chat'),
    denial: { kind: 'grant_missing', resource: 'chat' },
    row: { ...who, resource: 'chat' },
  },
  {
    what: 'a kind that the grant does not name',
    run: (world) => world.ask(captions, 'speech', { tokenKind: 'entra' }),
    denial: { kind: 'grant_missing', resource: 'speech' },
    row: { ...who, resource: 'speech' },
  },
  {
    what: 'a scope of its own choice',
    run: (world) => world.ask(captions, 'speech', { scope: 'https://graph.microsoft.com/.default' }),
    denial: { kind: 'scope_unsupported' },
    row: underCaptions,
  },
  {
    what: 'an application on behalf of nobody',
    run: (world) =>
      world.ask({ ...captions, groups: [RESEARCHERS], scopes: ['Token.Exchange'] }, 'chat', {
        tokenKind: 'obo',
      }),
    denial: { kind: 'user_required', resource: 'chat' },
    row: { ...who, resource: 'chat', grant: 'people', tokenKind: 'obo' },
  },
  {
    what: 'a caller whose access was revoked',
    run: (world) => {
      world.revoke({ kind: 'user', tenantId: captions.tenantId, objectId: captions.objectId });
      return world.ask(captions, 'speech');
    },
    denial: { kind: 'revoked', scope: `user ${captions.tenantId} ${captions.objectId}`, of: 'caller' },
    row: underCaptions,
  },
  {
    what: 'a resource that is blocked',
    run: (world) => {
      world.revoke({ kind: 'resource', name: 'speech' }, { blocked: true });
      return world.ask(captions, 'speech');
    },
    denial: { kind: 'revoked', scope: 'resource speech', of: 'target' },
    row: underCaptions,
  },
  {
    what: 'too many requests',
    run: async (world) => {
      for (let left = 60; left > 0; left -= 1) granted(await world.ask(captions, 'speech'));
      world.audit.length = 0;
      return world.ask(captions, 'speech');
    },
    denial: { kind: 'rate_limited', grant: 'captions', retryAfterSeconds: 1 },
    row: underCaptions,
  },
  {
    what: 'a token that would live longer than the grant promises',
    run: (world) => {
      world.entraLifeMs = 91 * 60_000;
      return world.ask(ada, 'chat', { tokenKind: 'entra' });
    },
    denial: { kind: 'lifetime_unmet', resource: 'chat', grant: 'people' },
    row: { ...underPeople, tokenKind: 'entra' },
  },
  {
    what: 'a user who must sign in again',
    run: (world) => {
      world.refusal = { refused: 'interaction_required', claims: '{"access_token":{}}' };
      return world.ask(ada, 'chat');
    },
    denial: { kind: 'interaction_required', claims: '{"access_token":{}}' },
    row: underPeople,
  },
  {
    what: 'a user for whom Entra gives nothing',
    run: (world) => {
      world.refusal = { refused: 'invalid_grant', claims: undefined };
      return world.ask(ada, 'chat');
    },
    denial: { kind: 'obo_refused' },
    row: underPeople,
  },
];
for (const { what, run, denial, row } of rows)
  test(`${what} is refused, and the audit says why`, async () => {
    const world = createWorld();
    assert.deepEqual(denied(await run(world)), denial);
    assert.deepEqual(world.audit, [
      {
        at: new Date(world.nowMs).toISOString(),
        instance: 'instance-1',
        outcome: 'refused',
        correlationId: 'correlation-1',
        ...row,
        reason: reason(denial),
      },
    ]);
  });

test('every kind of denial has its row', () => {
  const kinds: Record<Denial['kind'], true | 'read before the exchange'> = {
    request_malformed: true,
    grant_type_unsupported: 'read before the exchange',
    caller_unverified: true,
    scope_unsupported: true,
    target_unknown: true,
    grant_missing: true,
    user_required: true,
    lifetime_unmet: true,
    revoked: true,
    rate_limited: true,
    interaction_required: true,
    obo_refused: true,
  };
  for (const [kind, where] of Object.entries(kinds))
    if (where === true)
      assert.ok(
        rows.some(({ denial }) => denial.kind === kind),
        kind,
      );
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

test('a token revoked by its own text is not handed out again: the next is bought', async () => {
  const world = createWorld();
  const first = granted(await world.ask(captions, 'speech'));
  world.revoke({ kind: 'issued', sha256: first.token.sha256 });
  const second = granted(await world.ask(captions, 'speech'));
  assert.notEqual(first.token.reveal(), second.token.reveal());
  assert.equal(granted(await world.ask(captions, 'speech')).token.reveal(), second.token.reveal());
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
