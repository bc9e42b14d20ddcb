import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Demand } from '../../src/demand/demand.ts';
import { createAccountRoutes } from '../../src/http/operator/accounts.ts';
import { createAuditRoutes } from '../../src/http/operator/audit.ts';
import { createEventRoutes } from '../../src/http/operator/events.ts';
import { createOperationRoutes } from '../../src/http/operator/operations.ts';
import { createRevocationRoutes } from '../../src/http/operator/revocations.ts';
import type { Scope } from '../../src/ports.ts';
import { raise } from '../../src/revocation/entry.ts';
import { scopeKey } from '../../src/revocation/scope.ts';
import { caller, createWorld, HOME, OTHER, START_MS, USER, type World } from '../revocation/fakes.ts';
import { request } from './requests.ts';

let world: World;
let rotated: unknown[];
let asked: unknown[];
let operators: ReturnType<typeof createRoutes>;
type OperatorAction = keyof typeof operators;
beforeEach(() => {
  world = createWorld();
  rotated = [];
  asked = [];
  const scopes = ['Broker.Operate'];
  world.verified.set('plain', caller());
  world.verified.set('auditor', caller({ objectId: 'a', appRoles: ['Broker.Auditor'], scopes }));
  world.verified.set('operator', caller({ objectId: 'o', appRoles: ['Broker.Operator'], scopes }));
  operators = createRoutes();
});

/** Every group, composed as the issuer does it. */
function createRoutes() {
  const clock = () => Date.parse('2026-11-22T09:00:00Z');
  const { admit, operate } = world.revocation;
  return {
    ...createAccountRoutes({
      admit,
      clock,
      planned: {
        plan: async () => [{ resource: 'speech', state: 'steady', next: 'waits', overdue: false, steps: [] }],
      },
      place: async (wish) => {
        rotated.push(wish);
        return { ...DEMAND, ...wish };
      },
      rotated: (resource) => (resource === 'speech' ? 'speech-account' : undefined),
    }),
    ...createOperationRoutes({
      admit,
      find: async (id) => (id === DEMAND.id ? { ...DEMAND, etag: 'its own' } : undefined),
    }),
    ...createRevocationRoutes({ admit, operate }),
    ...createEventRoutes({ admit, operate }),
    ...createAuditRoutes({
      admit,
      clock,
      recordedAs: (resource) => `recorded-${resource}`,
      readAudit: async (day, resource, after) => {
        asked.push([day, resource, after]);
        return { records: [], next: 'more' };
      },
    }),
  };
}
const scope = { kind: 'user', tenantId: HOME, objectId: USER } as const;
const DEMAND: Demand = {
  id: '0b9d4c6e-1a2f-4d3c-8b7a-5e6f70819203',
  resource: 'speech',
  emergency: false,
  reason: 'by hand',
  who: 'o',
  correlationId: 'c',
  at: '2026-11-22T08:59:00.000Z',
  state: 'begun',
  why: 'waits',
};

async function ask(action: OperatorAction, who: string | undefined, body?: unknown, params = {}) {
  const headers: Record<string, string> = who === undefined ? {} : { authorization: `Bearer ${who}` };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const method = body === undefined ? 'GET' : 'POST';
  const answer = await operators[action](
    request(method, '/operator', { headers, params, ...(body === undefined ? {} : { body: text }) }),
  );
  return {
    status: answer.status,
    headers: answer.headers as Record<string, string>,
    json: answer.jsonBody ?? (typeof answer.body === 'string' ? JSON.parse(answer.body) : undefined),
  };
}

const LOOK: OperatorAction[] = ['listRevocations', 'listEvents', 'readAudit', 'planRotation'];
const ACT: [OperatorAction, unknown, Record<string, string>][] = [
  ['revoke', { scope }, {}],
  ['lift', { scope }, {}],
  ['rotateNow', {}, { resource: 'speech' }],
];

test('a token from before a revocation is answered with the claims that a newer one must meet, a blocked one is not', async () => {
  const challenge = async () => (await ask('listRevocations', 'auditor')).headers['www-authenticate'] ?? '';
  const auditor = { ...scope, objectId: 'a' };
  const change = { scope: auditor as Scope, reason: '', source: '', receivedAtMs: START_MS };
  const at = START_MS / 1000;
  await world.deps.table.update(scopeKey(auditor as Scope), (entry) =>
    raise(entry, { ...change, cutOffSeconds: at, blockCause: undefined }),
  );
  const [, error, claims = ''] = /error="(\w+)", claims="([^"]+)"$/.exec(await challenge()) ?? [];
  assert.equal(error, 'insufficient_claims');
  assert.deepEqual(JSON.parse(Buffer.from(claims, 'base64').toString()), {
    access_token: { nbf: { essential: true, value: String(at) } },
  });
  await world.deps.table.update(scopeKey(auditor as Scope), (entry) =>
    raise(entry, { ...change, cutOffSeconds: at, blockCause: 'b' }),
  );
  assert.match(
    await challenge(),
    /error="invalid_token", error_description="the access token is no longer accepted, and a newer one is not either"$/,
  );
});

describe('who may', () => {
  test('nobody without an accepted token: 401 with a challenge, as problem details', async () => {
    for (const [action, body, params] of [...LOOK.map((each) => [each, undefined, {}] as const), ...ACT]) {
      const none = await ask(action, undefined, body, params);
      assert.equal(none.status, 401);
      assert.equal(none.headers['content-type'], 'application/problem+json');
      assert.equal(none.headers['www-authenticate'], 'Bearer realm="azure-ai-token-broker"');
      const bad = await ask(action, 'forged', body, params);
      assert.equal(bad.status, 401);
      assert.match(bad.headers['www-authenticate'] ?? '', /error="invalid_token"/);
      assert.equal(bad.json.detail, 'the access token is not accepted');
    }
    assert.deepEqual([rotated, world.bumps], [[], 0]);
  });

  test('no caller without a role; auditors look, operators look and act', async () => {
    for (const action of LOOK) {
      const refused = await ask(action, 'plain');
      assert.equal(refused.status, 403);
      assert.match(refused.headers['www-authenticate'] ?? '', /^Bearer .*error="insufficient_scope"$/);
      assert.equal((await ask(action, 'auditor')).status, 200);
      assert.equal((await ask(action, 'operator')).status, 200);
    }
    for (const [action, body, params] of ACT) {
      assert.equal((await ask(action, 'plain', body, params)).status, 403);
      assert.equal((await ask(action, 'auditor', body, params)).status, 403);
    }
    assert.deepEqual([rotated, world.bumps], [[], 0]);
    for (const [action, body, params] of ACT)
      assert.ok(((await ask(action, 'operator', body, params)).status ?? 0) < 300);
  });
});

test('an operator by the word of another tenant is none: its own administrators hand out the roles there', async () => {
  world.verified.set(
    'foreign',
    caller({
      tenantId: OTHER,
      appRoles: ['Broker.Operator', 'Broker.Auditor', 'Token.Exchange'],
      scopes: ['Broker.Operate'],
    }),
  );
  for (const action of LOOK) assert.equal((await ask(action, 'foreign')).status, 403);
  for (const [action, body, params] of ACT)
    assert.equal((await ask(action, 'foreign', body, params)).status, 403);
  assert.deepEqual([rotated, world.bumps], [[], 0]);
  const admitted = await world.revocation.admit('foreign', 'caller');
  assert.deepEqual('appRoles' in admitted && admitted.appRoles, ['Token.Exchange'], 'the others stay');
});

describe('what they do', () => {
  test('revoke answers when it is in force, with how long it took and what it cannot end', async () => {
    const { json, status } = await ask('revoke', 'operator', { scope, reason: 'stolen' });
    assert.equal(status, 200);
    assert.deepEqual(json, {
      key: `user:${HOME}:${USER}`,
      receivedAt: '2026-03-04T10:15:30.000Z',
      inForceAt: '2026-03-04T10:15:30.000Z',
      timeToEffectMs: 0,
      lastTokenUntil: '2026-03-04T12:15:30.000Z',
    });
    const listed = await ask('listRevocations', 'auditor');
    assert.equal(listed.json.revocations[0].reason, 'stolen');
  });

  test('lift ends a block', async () => {
    await ask('revoke', 'operator', { scope: { kind: 'grant', name: 'people' }, block: true });
    assert.deepEqual((await ask('lift', 'operator', { scope: { kind: 'grant', name: 'people' } })).json, {
      lifted: true,
    });
    assert.deepEqual((await ask('lift', 'operator', { scope: { kind: 'grant', name: 'people' } })).json, {
      lifted: false,
    });
  });

  test('rotate now names the slot, the emergency and who asked', async () => {
    const body = { slot: 'Key2', emergency: true, reason: 'leak' };
    const { status, json, headers } = await ask('rotateNow', 'operator', body, { resource: 'speech' });
    assert.equal(status, 202);
    assert.deepEqual(json, { resource: 'speech', demand: DEMAND.id });
    assert.equal(headers['location'], `/operator/demands/${DEMAND.id}`);
    const [{ correlationId, ...wish }] = rotated as [{ correlationId: string }];
    assert.match(correlationId, /^[0-9a-f]{32}$/);
    const where = { resource: 'speech', account: 'speech-account' };
    assert.deepEqual(wish, { ...where, slot: 'Key2', emergency: true, reason: 'leak', who: 'o' });
    assert.equal((await ask('rotateNow', 'operator', {}, { resource: 'nope' })).status, 404);
  });

  test('a demand is read by its id, and another id is 404', async () => {
    const read = (id: string) => ask('readDemand', 'auditor', undefined, { id });
    assert.deepEqual((await read(DEMAND.id)).json, DEMAND);
    assert.deepEqual((await read(DEMAND.id.toUpperCase())).json, DEMAND);
    for (const id of [USER, "x' or 'x' eq 'x", '']) assert.equal((await read(id)).status, 404);
  });

  test('what cannot be read is a 400 that repeats nothing of it', async () => {
    for (const body of ['', 'not json SECRET', '[]', '"x"', '{"scope":"SECRET"}', '{}'])
      for (const action of ['revoke', 'lift'] as const) {
        const { status, json } = await ask(action, 'operator', body);
        assert.equal(status, 400);
        assert.equal(json.status, 400);
        assert.ok(!JSON.stringify(json).includes('SECRET'));
      }
    for (const body of ['x', '{"slot":"key1"}', '{"emergency":"yes"}', '{"reason":7}'])
      assert.equal((await ask('rotateNow', 'operator', body, { resource: 'speech' })).status, 400);
  });

  test('a member twice, in another case, or unknown is refused before anything is done', async () => {
    const grant = '{"kind":"grant","name":"people"}';
    const resource = { resource: 'speech' };
    const bodies: [OperatorAction, string, Record<string, string>][] = [
      ['revoke', `{"scope":${grant},"scope":${grant}}`, {}],
      ['revoke', '{"scope":{"kind":"grant","name":"people","name":"apps"}}', {}],
      ['revoke', `{"scope":${grant},"notbefore":"2026-03-04T10:00:00Z"}`, {}],
      ['revoke', `{"Scope":${grant}}`, {}],
      ['revoke', `{"scope":${grant},"SECRET":1}`, {}],
      ['revoke', '{"scope":{"kind":"grant","name":"people","tenantId":"x"}}', {}],
      ['lift', `{"scope":${grant},"scope":${grant}}`, {}],
      ['lift', `{"scope":${grant},"SECRET":1}`, {}],
      ['lift', '{"scope":{"kind":"grant","name":"people","SECRET":1}}', {}],
      ['rotateNow', '{"slot":"Key1","slot":"Key2"}', resource],
      ['rotateNow', '{"SECRET":true}', resource],
      ['rotateNow', `{"reason":${'['.repeat(2_000)}${']'.repeat(2_000)}}`, resource],
    ];
    for (const [action, body, params] of bodies) {
      const { status, json } = await ask(action, 'operator', body, params);
      assert.equal(status, 400, body);
      assert.ok(!JSON.stringify(json).includes('SECRET'), json.detail);
    }
    assert.deepEqual([rotated, world.bumps, world.entries.size], [[], 0, 0]);
  });

  test('a resource, grant or tenant that the policy does not know is refused by its name', async () => {
    for (const action of ['revoke', 'lift'] as const)
      for (const unknown of [
        { kind: 'resource', name: 'speach' },
        { kind: 'grant', name: 'peple' },
      ]) {
        const { status, json } = await ask(action, 'operator', { scope: unknown });
        assert.equal(status, 400);
        assert.match(json.detail, new RegExp(unknown.name));
      }
    const tenant = { kind: 'tenant', tenantId: USER };
    for (const action of ['revoke', 'lift'] as const)
      assert.equal((await ask(action, 'operator', { scope: tenant })).status, 400);
    assert.equal(world.bumps, 0);
  });

  test('an outage is 503 with Retry-After, never a denial', async () => {
    world.down.add('tables');
    for (const [action, body, params] of [...LOOK.map((each) => [each, undefined, {}] as const), ...ACT]) {
      const { status, headers } = await ask(action, 'operator', body, params);
      assert.equal(status, 503);
      assert.ok(Number(headers['retry-after']) > 0);
    }
  });
});

const NEXT = '2026-11-21T10:00:00.000Z-0a1b2c3d-7';

test('an auditor reads who got tokens for an account on a day, a page at a time; a day that is none is refused', async () => {
  const get = (query: Record<string, string>) =>
    operators.readAudit(
      request('GET', '/operator/audit', { headers: { authorization: 'Bearer auditor' }, query }),
    );
  const page = await get({ day: '2026-11-21', resource: 'speech', after: NEXT });
  assert.deepEqual(page.jsonBody, { records: [], next: 'more' });
  await get({});
  assert.deepEqual(asked, [
    ['2026-11-21', 'recorded-speech', NEXT],
    ['2026-11-22', undefined, ''],
  ]);
  assert.equal((await get({ day: 'yesterday' })).status, 400);
  for (const after of ['here', `${NEXT}\u0000`, `${NEXT}'`, '2026-11-21', 'x'.repeat(5_000)])
    assert.equal((await get({ after })).status, 400, after.slice(0, 40));
  assert.equal(asked.length, 2);
});

const HINT = 'this route has no query parameters';
const KNOWN: Readonly<Record<OperatorAction, string>> = {
  listRevocations: HINT,
  revoke: HINT,
  lift: HINT,
  listEvents: HINT,
  readAudit: 'unknown query parameter: the known ones are day, resource, after',
  planRotation: HINT,
  rotateNow: HINT,
  readDemand: HINT,
};
for (const [action, detail] of Object.entries(KNOWN))
  test(`${action} refuses a query parameter that it does not know, and does nothing: "${detail}"`, async () => {
    for (const path of [
      '/operator?resources=speech',
      '/operator?Resource=',
      '/operator?day=2026-11-21&__proto__=x',
    ]) {
      const answer = await operators[action as OperatorAction](
        request('POST', path, {
          headers: { authorization: 'Bearer operator' },
          params: { resource: 'speech' },
          query: Object.fromEntries(new URL(path, 'http://x').searchParams.entries()),
          body: JSON.stringify({ scope }),
        }),
      );
      assert.equal(answer.status, 400);
      assert.equal(JSON.parse(String(answer.body)).detail, detail);
    }
    assert.deepEqual([rotated, asked, world.bumps], [[], [], 0]);
  });

test('a query parameter that is sent twice is refused, since one of the two would be left out', async () => {
  const answer = await operators.readAudit(
    request('GET', '/operator/audit?resource=a&resource=b', { headers: { authorization: 'Bearer auditor' } }),
  );
  assert.equal(answer.status, 400);
  assert.match(String(answer.body), /a query parameter is sent more than once/);
});

test('who may not ask is told nothing of the query', async () => {
  const headers = { authorization: 'Bearer plain' };
  assert.equal((await operators.readAudit(request('GET', '/operator/audit?x=1', { headers }))).status, 403);
});
