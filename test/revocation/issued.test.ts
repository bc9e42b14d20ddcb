import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { IssuedRecord } from '../../src/ports.ts';
import { isDropped } from '../../src/revocation/decision.ts';
import { createRevocation } from '../../src/revocation/revocation.ts';
import { sha256 } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { CLIENT, caller, createWorld, HOME, OTHER, revokeBy, START_MS, USER, type World } from './fakes.ts';

let world: World;
const TOKEN = 'an.issued.token';
const record = (over: Partial<IssuedRecord> = {}): IssuedRecord => ({
  sha256: sha256(TOKEN),
  resource: 'aoai',
  tokenKind: 'entra',
  epoch: undefined,
  user: undefined,
  issuedAtMs: START_MS - 60_000,
  expiresAtMs: START_MS + 3_600_000,
  ...over,
});
const hold = (over: Partial<IssuedRecord> = {}): void => {
  const held = record(over);
  world.issued.set(held.sha256, held);
};
beforeEach(() => {
  world = createWorld();
  hold();
});
const stranger = caller({ groups: [], objectId: CLIENT });
const auditor = caller({ groups: [], objectId: CLIENT, appRoles: ['Broker.Auditor'] });
const operator = caller({ groups: [], objectId: CLIENT, appRoles: ['Broker.Operator'] });
const introspect = (who = caller(), token = TOKEN) => world.revocation.issued.introspect(who, token);
const drop = (who = caller(), token = TOKEN) => world.revocation.issued.drop(who, token);
const dropped = async (who: ReturnType<typeof caller>, token: string) => {
  const answer = await drop(who, token);
  assert.ok(typeof answer === 'object');
  return answer;
};

describe('introspection', () => {
  test('tells those whom the policy gives the resource, operators and auditors; nobody else', async () => {
    for (const who of [caller(), auditor, operator]) assert.equal((await introspect(who))?.resource, 'aoai');
    assert.equal(await introspect(stranger), undefined);
  });

  test('whoever may have only another kind of token is told nothing', async () => {
    const mayHave = (_who: unknown, _resource: string, kind?: string) => kind === 'obo';
    const { issued } = createRevocation({ ...world.deps, mayHave });
    assert.equal(await issued.introspect(caller(), TOKEN), undefined);
    assert.equal(await issued.drop(caller(), TOKEN), undefined);
    hold({ tokenKind: 'obo', user: { tenantId: HOME, objectId: USER } });
    assert.ok(await issued.introspect(caller(), TOKEN));
  });

  test('an on-behalf-of token is its user’s alone', async () => {
    hold({ tokenKind: 'obo', user: { tenantId: HOME, objectId: USER } });
    assert.ok(await introspect(caller()));
    assert.equal(await introspect(caller({ objectId: CLIENT })), undefined);
    assert.ok(await introspect(auditor));
  });

  test('a token that is over, or unknown, or spelled otherwise, is not active', async () => {
    assert.equal(await introspect(caller(), 'another.token.text'), undefined);
    assert.equal(await introspect(caller(), `${TOKEN}=`), undefined);
    world.advance(3_600_000);
    assert.equal(await introspect(), undefined);
  });

  test('the form that Speech callers hold is the same token', async () => {
    assert.ok(await introspect(caller(), `aad#/subscriptions/x/accounts/y#${TOKEN}`));
  });

  test('a token of a resource that is blocked, or of a user or tenant revoked since, is not active', async () => {
    const requests = [
      { scope: { kind: 'resource', name: 'aoai' }, block: true },
      { scope: { kind: 'user', tenantId: HOME, objectId: USER } },
      { scope: { kind: 'tenant', tenantId: HOME } },
    ];
    for (const request of requests) {
      world = createWorld();
      hold({ tokenKind: 'obo', user: { tenantId: HOME, objectId: USER } });
      assert.ok(await introspect());
      await revokeBy(world, request, 'someone');
      assert.equal(await introspect(), undefined);
    }
  });

  test('a token bought with a key that had an emergency since is not active', async () => {
    hold({ tokenKind: 'sts', epoch: 2 });
    const atEpoch = async (epoch: number) => {
      const slots = new Map([['aoai', { generation: 7, retiring: undefined, epoch }]]);
      const snapshot = async () => ({ ...(await world.snapshot()), slots });
      return createRevocation({ ...world.deps, snapshot }).issued.introspect(caller(), TOKEN);
    };
    assert.ok(await atEpoch(2));
    assert.equal(await atEpoch(3), undefined);
  });

  test('a shared token stays active after a cut-off of its resource: fresh callers still get it', async () => {
    await revokeBy(world, { scope: { kind: 'resource', name: 'aoai' } }, 'someone');
    assert.ok(await introspect());
  });
});

describe('revocation by the holder', () => {
  test('drops the shared token everywhere, and introspection says so', async () => {
    const dropped = await drop();
    assert.ok(
      typeof dropped === 'object' && 'expiresAtMs' in dropped && dropped.expiresAtMs === START_MS + 3_600_000,
    );
    assert.ok(isDropped((await world.snapshot()).revocations, sha256(TOKEN)));
    assert.equal(await introspect(), undefined);
    assert.equal(world.bumps, 1);
    assert.equal(
      world.records('effect')[0]?.['lastTokenUntil'],
      new Date(START_MS + 3_600_000).toISOString(),
    );
  });

  test('is kept as long as the token lives, and no longer: many of them would slow every exchange', async () => {
    await drop();
    world.advance(3_600_000);
    await world.revocation.reconcile();
    assert.ok(isDropped((await world.snapshot()).revocations, sha256(TOKEN)), 'at its end, by our clock');
    world.advance(3_600_000);
    await world.revocation.reconcile();
    assert.equal(world.entries.size, 0);
  });

  test('has a limit for shared tokens by holder and resource: the next is told to come again, the token stays', async () => {
    const shared = (n: number) => {
      hold({ sha256: sha256(`shared ${n}`), expiresAtMs: START_MS + 600_000 + n * 1000 });
      return `shared ${n}`;
    };
    for (let n = 0; n < 3; n += 1) assert.ok(typeof (await drop(caller(), shared(n))) === 'object');
    const { bumps } = world;
    for (let n = 3; n < 20; n += 1)
      assert.deepEqual(await drop(caller(), shared(n)), { kind: 'rate_limited', retryAfterSeconds: 600 });
    const { tableCalls } = world;
    for (let n = 0; n < 20; n += 1)
      assert.deepEqual(await drop(caller(), 'shared 3'), { kind: 'rate_limited', retryAfterSeconds: 600 });
    assert.equal(
      world.tableCalls,
      tableCalls,
      'whoever repeats it costs nothing after the look of admitting it',
    );
    const byAnotherClient = await drop(caller({ clientId: OTHER }), shared(3));
    assert.deepEqual(byAnotherClient, { kind: 'rate_limited', retryAfterSeconds: 600 }, 'the person counts');
    assert.equal(world.bumps, bumps, 'and nothing moves');
    assert.ok(await introspect(caller(), 'shared 3'), 'which introspection says too');
    const another = caller({ objectId: OTHER });
    for (const who of [another, operator])
      assert.ok(!('retryAfterSeconds' in (await dropped(who, shared(20)))));
    await dropped(another, 'shared 3');
    assert.ok(
      !('retryAfterSeconds' in (await dropped(caller(), 'shared 3'))),
      'nobody hands it out any more',
    );
    world.advance(600_000);
    assert.ok(!('retryAfterSeconds' in (await dropped(caller(), shared(21)))), 'until the first is over');
  });

  test('asked again while it is in force writes nothing: else each call would make every instance read anew', async () => {
    await drop();
    const { bumps } = world;
    for (let n = 0; n < 5; n += 1) assert.deepEqual(await drop(), record());
    assert.equal(world.bumps, bumps);
  });

  test('asked again and again reads the whole table no more, and of many at once one reads it for all', async () => {
    let lists = 0;
    const { table } = world.deps;
    const counted = {
      ...table,
      list: async () => {
        lists += 1;
        return table.list();
      },
    };
    const { issued } = createRevocation({ ...world.deps, table: counted });
    for (let n = 0; n < 20; n += 1) await issued.drop(caller(), TOKEN);
    assert.equal(lists, 1);
    const tokens = Array.from({ length: 20 }, (_, n) => `at once ${n}`);
    for (const token of tokens) hold({ sha256: sha256(token) });
    await Promise.all(tokens.map((token) => issued.drop(caller(), token)));
    assert.equal(lists, 2);
  });

  test('is nobody else’s to ask for, and an auditor only looks', async () => {
    for (const who of [stranger, auditor]) assert.equal(await drop(who), undefined);
    assert.equal(world.entries.size, 0);
    assert.ok(await drop(operator));
  });

  test('of an unknown token does nothing and is no failure', async () => {
    assert.equal(await drop(caller(), 'unknown'), undefined);
    assert.equal(world.bumps, 0);
  });

  test('of a managed identity’s token is not supported: Azure would hand the same one out again', async () => {
    const resources = world.deps.policy().resources.map((each) => ({
      ...each,
      identity: { kind: 'systemAssigned' as const },
    }));
    const { issued } = createRevocation({
      ...world.deps,
      policy: () => ({ ...world.deps.policy(), resources }),
    });
    assert.equal(await issued.drop(caller(), TOKEN), 'unsupported');
    assert.equal(world.entries.size, 0);
  });

  test('while the tables are down throws: the token is still handed out', async () => {
    world.down.add('head');
    await assert.rejects(drop(), UpstreamFailure);
    world.down.delete('head');
    assert.ok(await drop(), 'and asking again finishes it');
    assert.equal(world.bumps, 1);
  });
});

describe('who is admitted', () => {
  test('a person has operator roles only through a client that was given the scope for it, an application has them', async () => {
    const appRoles = ['Broker.Operator', 'Broker.Auditor', 'Other'];
    const rolesOf = async (over: Partial<ReturnType<typeof caller>>) => {
      world.verified.set('token', caller({ appRoles, ...over }));
      const admitted = await world.revocation.admit('token', 'operator');
      assert.ok('objectId' in admitted);
      return admitted.appRoles;
    };
    for (const scopes of [['openid'], ['Token.Exchange'], ['broker.operate']])
      assert.deepEqual(await rolesOf({ scopes }), ['Other'], String(scopes));
    assert.deepEqual(await rolesOf({ scopes: ['Token.Exchange', 'Broker.Operate'] }), appRoles);
    assert.deepEqual(await rolesOf({ kind: 'application', scopes: [] }), appRoles);
  });

  const tryAs = async (as: 'caller' | 'operator', scope: unknown) => {
    world = createWorld();
    world.verified.set('token', caller());
    await revokeBy(world, { scope, block: true }, 'someone');
    return 'objectId' in (await world.revocation.admit('token', as));
  };
  test('nobody whose token, user or client was revoked', async () => {
    for (const scope of [
      { kind: 'user', tenantId: HOME, objectId: USER },
      { kind: 'client', tenantId: HOME, clientId: CLIENT },
      { kind: 'token', tenantId: HOME, uti: caller().uti },
    ]) {
      assert.equal(await tryAs('caller', scope), false);
      assert.equal(await tryAs('operator', scope), false);
    }
  });

  test('an operator of a tenant that is blocked as a whole, who else could lift it?', async () => {
    assert.equal(await tryAs('caller', { kind: 'tenant', tenantId: HOME }), false);
    assert.equal(await tryAs('operator', { kind: 'tenant', tenantId: HOME }), true);
  });

  test('no token that is not verified', async () => {
    assert.ok(!('objectId' in (await world.revocation.admit('other', 'operator'))));
  });
});
