import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createAccountRoutes } from '../../src/http/operator/accounts.ts';
import { createAuditRoutes } from '../../src/http/operator/audit.ts';
import { createEventRoutes } from '../../src/http/operator/events.ts';
import { createOperationRoutes } from '../../src/http/operator/operations.ts';
import { createRecordRoutes } from '../../src/http/operator/record.ts';
import { createRevocationRoutes } from '../../src/http/operator/revocations.ts';
import { asSeen, type Claim, type Kept, type OperationBook } from '../../src/operations/operation.ts';
import { createPerform } from '../../src/operations/perform.ts';
import type { Scope } from '../../src/ports.ts';
import { raise } from '../../src/revocation/entry.ts';
import { scopeKey } from '../../src/revocation/scope.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { uuid7 } from '../../src/uuid7.ts';
import { portsTo, Storage } from '../record/storage.ts';
import { caller, createWorld, HOME, OTHER, START_MS, USER, type World } from '../revocation/fakes.ts';
import { gateOf } from './gate.ts';
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

let gate: ReturnType<typeof gateOf>;
let kept: Map<string, Kept>;

/** Every group, composed as the issuer does it. */
function createRoutes() {
  const clock = () => Date.parse('2026-11-22T09:00:00Z');
  const { admit, operate } = world.revocation;
  gate = gateOf(admit, clock);
  kept = new Map();
  said = [];
  const claims = new Map<string, Claim>();
  const book: OperationBook = {
    claim: async (key, claim) => {
      claims.set(key, claims.get(key) ?? claim);
      return claims.get(key) ?? claim;
    },
    begin: async (begun) => {
      if (world.down.has('tables')) throw new UpstreamFailure('tables', 'is down');
      kept.set(begun.id, kept.get(begun.id) ?? { begun, ended: undefined });
    },
    end: async (id, ended) => {
      const { begun } = kept.get(id) ?? assert.fail();
      kept.set(id, { begun, ended });
    },
    find: async (id) => kept.get(id),
    list: async () => {
      if (world.down.has('tables')) throw new UpstreamFailure('tables', 'is down');
      return [...kept.values()].reverse();
    },
  };
  const perform = createPerform({
    book,
    audit: gate.audit,
    clock: world.deps.now,
    newId: uuid7,
    instance: 'i',
  });
  return {
    ...createAccountRoutes({
      gate,
      perform,
      planned: {
        accounts: async () => ACCOUNTS,
        account: async (name) => ACCOUNTS.find((account) => account.name === name),
        history: async (name, most, before = 9) =>
          name === 'speech' ? STEPS.filter(({ fence }) => fence < before).slice(0, most) : undefined,
      },
      pauses: { say: async (account, pause) => void said.push([account, pause]) },
      place: async (wish) => void rotated.push(wish),
      rotated: (resource) => (resource === 'speech' ? 'speech-account' : undefined),
    }),
    ...createOperationRoutes({
      gate,
      follow: {
        find: async (id) => {
          const found = kept.get(id);
          return found && asSeen(found, clock());
        },
        list: async (after, most) => (await book.list(after, most)).map((each) => asSeen(each, clock())),
      },
    }),
    ...createRevocationRoutes({
      gate,
      perform,
      operate,
      homeTenantId: HOME,
      directory: {
        user: async (name) => {
          if (name === 'gone@example.test') return 'absent';
          if (name === 'secret@example.test') throw new UpstreamFailure('graph', 'was refused', 403);
          if (world.down.has('graph')) throw new UpstreamFailure('graph', 'is down');
          return { objectId: USER, enabled: false, sessionsValidFromMs: undefined };
        },
      },
    }),
    ...createEventRoutes({ gate, operate }),
    ...createAuditRoutes({
      gate,
      clock,
      recordedAs: (resource) => `recorded-${resource}`,
      readAudit: async (query) => {
        asked.push(query);
        return { items: [], next: 'more' };
      },
    }),
    ...createRecordRoutes({ gate, clock, readers: record(), pageTime: () => () => false }),
  };
}
/** The record is empty, and out of reach with the tables. */
const record = () => portsTo(new Storage(), async () => (world.down.has('tables') ? 'fails' : undefined));
const scope = { kind: 'user', tenantId: HOME, objectId: USER } as const;
const ACCOUNTS = ['translator', 'speech'].map((name) => ({
  name,
  kind: 'SpeechServices',
  tokenKinds: ['sts'] as const,
  rotates: true,
  next: { what: 'waits' },
}));
const STEPS = [4, 3, 2, 1].map((fence) => ({
  fence,
  at: `2026-11-22T08:0${fence}:00.000Z`,
  what: 'Key1 is retired',
  from: 'proving (Key1)',
  to: 'steady',
  tookMs: 60_000,
  by: 'a/1',
  ...(fence === 2 && { newKeyLagMs: 7_000 }),
}));
let said: unknown[];

async function ask(
  action: OperatorAction,
  who: string | undefined,
  body?: unknown,
  params = {},
  more: Readonly<Record<string, string>> = {},
) {
  const headers: Record<string, string> = {
    ...(who === undefined ? {} : { authorization: `Bearer ${who}` }),
    ...more,
  };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const method = body === undefined ? 'GET' : 'POST';
  const answer = await operators[action](
    request(method, '/operator', { headers, params, ...(body === undefined ? {} : { body: text }) }),
  );
  return {
    status: answer.status,
    headers: answer.headers as Record<string, string>,
    json: answer.jsonBody,
  };
}

const LOOK: OperatorAction[] = [
  'readUsage',
  'readProof',
  'exportAudit',
  'listRevocations',
  'listEvents',
  'readAudit',
  'listAccounts',
  'listOperations',
];
const ACT: [OperatorAction, unknown, Record<string, string>][] = [
  ['revoke', { scope, reason: 'a reason' }, {}],
  ['lift', { scope, reason: 'a reason' }, {}],
  ['rotate', { reason: 'a reason' }, { name: 'speech' }],
  ['pause', { reason: 'a reason' }, { name: 'speech' }],
  ['resume', { reason: 'a reason' }, { name: 'speech' }],
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
  assert.equal(gate.records.length, LOOK.length + ACT.length);
  assert.ok(
    gate.records.every(({ tenantId, outcome, act }) => tenantId === OTHER && outcome === 'refused' && act),
  );
  const admitted = await world.revocation.admit('foreign', 'caller');
  assert.deepEqual('appRoles' in admitted && admitted.appRoles, ['Token.Exchange'], 'the others stay');
});

describe('what they do', () => {
  test('revoke answers when it is in force, with how long it took and what it cannot end', async () => {
    const { json, status } = await ask('revoke', 'operator', { scope, reason: 'stolen' });
    assert.equal(status, 200);
    const { operation, ...entry } = json;
    assert.deepEqual(entry, {
      key: `user:${HOME}:${USER}`,
      scope,
      cutOff: '2026-03-04T10:17:31.000Z',
      blocked: false,
      reason: 'stolen',
      source: 'operator o',
      receivedAt: '2026-03-04T10:15:30.000Z',
      inForceAt: '2026-03-04T10:15:30.000Z',
      timeToEffectMs: 0,
      lastTokenUntil: '2026-03-04T12:15:30.000Z',
    });
    const listed = await ask('listRevocations', 'auditor');
    assert.deepEqual(listed.json, { items: [entry] });
    const followed = await ask('readOperation', 'auditor', undefined, { id: operation });
    assert.deepEqual(
      [followed.json.state, followed.json.act, followed.json.target, followed.json.by, followed.json.reason],
      ['succeeded', 'revoke', `user:${HOME}:${USER}`, 'o', 'stolen'],
    );
    assert.deepEqual(followed.json.result, entry);
  });

  test('a person by name is looked up and asked back, and nothing is revoked or lifted before the id confirms it', async () => {
    const named = (objectId: string, tenantId: string = HOME) => ({
      scope: { kind: 'user', tenantId, objectId },
      reason: 'left',
    });
    for (const act of ['revoke', 'lift'] as const) {
      const { status, json } = await ask(act, 'operator', named('Ada@Example.test'));
      assert.deepEqual([status, json.found], [409, { objectId: USER, enabled: false }]);
      assert.match(json.detail, new RegExp(`${USER}.*disabled; nothing was done`));
      assert.equal((await ask(act, 'auditor', named('ada@example.test'))).status, 403);
      for (const [wrong, why] of [
        [named('gone@example.test'), /nobody/],
        [named('secret@example.test'), /may not read the directory/],
        [named('ada@example.test', OTHER), /home tenant/],
        [named('a b@example.test'), /must be a GUID$/],
        [named(`${'a'.repeat(113)}@example.test`), /must be a GUID$/],
      ] as const) {
        const refused = await ask(act, 'operator', wrong);
        assert.equal(refused.status, 400);
        assert.match(refused.json.detail, why);
      }
      world.down.add('graph');
      assert.equal((await ask(act, 'operator', named('ada@example.test'))).status, 503);
      world.down.clear();
    }
    assert.deepEqual([world.bumps, world.entries.size, kept.size], [0, 0, 0]);
  });

  test('lift ends a block', async () => {
    const people = { scope: { kind: 'grant', name: 'people' }, reason: 'a reason' };
    await ask('revoke', 'operator', { ...people, block: true });
    assert.equal((await ask('lift', 'operator', people)).json.lifted, true);
    assert.equal((await ask('lift', 'operator', people)).json.lifted, false);
  });

  test('rotate names the slot, the emergency and who asked, and answers with its operation', async () => {
    const body = { slot: 'Key2', emergency: true, reason: 'leak' };
    const { status, json, headers } = await ask('rotate', 'operator', body, { name: 'speech' });
    assert.equal(status, 202);
    assert.equal(headers['location'], `/operator/operations/${json.operation}`);
    const [{ correlationId, at, ...wish }] = rotated as [{ correlationId: string; at: string }];
    assert.match(correlationId, /^[0-9a-f]{32}$/);
    assert.equal(Date.parse(at), START_MS);
    const where = { id: json.operation, resource: 'speech', account: 'speech-account' };
    assert.deepEqual(wish, { ...where, slot: 'Key2', emergency: true, reason: 'leak', who: 'o' });
    assert.equal((await ask('rotate', 'operator', { reason: 'x' }, { name: 'nope' })).status, 404);
  });

  test('accounts come by name, one by one or in pages, with the lags of the last rotation that has them', async () => {
    const { json } = await ask('listAccounts', 'auditor');
    assert.deepEqual(
      json.items.map(({ name }: { name: string }) => name),
      ['speech', 'translator'],
    );
    const one = await ask('readAccount', 'auditor', undefined, { name: 'speech' });
    assert.deepEqual(one.json.lags, {
      at: '2026-11-22T08:02:00.000Z',
      newKeyLagMs: 7_000,
      oldKeyLagMs: undefined,
    });
    for (const action of ['readAccount', 'readHistory'] as const)
      assert.equal((await ask(action, 'auditor', undefined, { name: 'none' })).status, 404);
  });

  test('the history comes in pages, the newest first, and each step once', async () => {
    const read = async (query: Record<string, string>) => {
      const path = `/operator/accounts/speech/history?${new URLSearchParams(query)}`;
      const headers = { authorization: 'Bearer auditor' };
      return operators.readHistory(request('GET', path, { headers, query, params: { name: 'speech' } }));
    };
    const times = (answer: { jsonBody?: { items: { at: string }[] } }) =>
      answer.jsonBody?.items.map(({ at }) => at.slice(14, 16));
    const first = await read({ limit: '3' });
    assert.deepEqual([times(first), first.jsonBody.next], [['04', '03', '02'], '2']);
    assert.ok(!('fence' in first.jsonBody.items[0]));
    const last = await read({ limit: '3', after: '2' });
    assert.deepEqual([times(last), last.jsonBody.next], [['01'], undefined]);
    assert.equal((await read({ after: "2'" })).status, 400);
  });

  test('pause and resume are stored with who, why and when, and answered with the account', async () => {
    for (const act of ['pause', 'resume'] as const) {
      const { status, json } = await ask(act, 'operator', { reason: act }, { name: 'speech' });
      assert.deepEqual([status, json.name, typeof json.operation], [200, 'speech', 'string']);
      assert.equal((await ask(act, 'operator', { reason: 'x' }, { name: 'none' })).status, 404);
      assert.equal((await ask(act, 'operator', { reason: 'x', for: '1h' }, { name: 'speech' })).status, 400);
    }
    const at = new Date(START_MS).toISOString();
    assert.deepEqual(said, [
      ['speech-account', { paused: true, by: 'o', reason: 'pause', at }],
      ['speech-account', { paused: false, by: 'o', reason: 'resume', at }],
    ]);
  });

  test('an operation is read by its id, and another id is 404', async () => {
    const { json } = await ask('rotate', 'operator', { reason: 'x' }, { name: 'speech' });
    const read = (id: string) => ask('readOperation', 'auditor', undefined, { id });
    assert.equal((await read(json.operation)).json.id, json.operation);
    assert.equal((await read(json.operation.toUpperCase())).json.id, json.operation);
    for (const id of [USER, "x' or 'x' eq 'x", '']) assert.equal((await read(id)).status, 404);
  });

  test('the same act sent twice with one Idempotency-Key happens once, and is answered the same', async () => {
    const key = { 'idempotency-key': 'a-key' };
    const body = { scope: { kind: 'grant', name: 'people' }, block: true, reason: 'once' };
    const first = await ask('revoke', 'operator', body, {}, key);
    await ask('lift', 'operator', { scope: body.scope, reason: 'over' });
    const again = await ask('revoke', 'operator', body, {}, key);
    assert.deepEqual([again.status, again.json], [200, first.json]);
    assert.equal(
      [...world.entries.values()].some(({ blocked }) => blocked),
      false,
      'it did not block again',
    );
    const rotate = async () =>
      (await ask('rotate', 'operator', { reason: 'r' }, { name: 'speech' }, { 'idempotency-key': 'b' })).json;
    assert.deepEqual(await rotate(), await rotate());
    assert.equal(rotated.length, 1);
    const other = await ask('revoke', 'operator', { ...body, block: false }, {}, key);
    assert.equal(other.status, 422);
    for (const wrong of ['', 'a b', 'x'.repeat(129)])
      assert.equal(
        (await ask('revoke', 'operator', body, {}, { 'idempotency-key': wrong })).status,
        400,
        wrong,
      );
    const told = gate.records.map(({ act, outcome, problem }) => [act, outcome, problem]);
    assert.deepEqual(told, [
      ['revoke', 'done', undefined],
      ['lift', 'done', undefined],
      ['revoke', 'refused', 'repeated: answered as the first time'],
      ['rotate', 'done', undefined],
      ['rotate', 'refused', 'repeated: answered as the first time'],
      ['revoke', 'refused', 'its Idempotency-Key belongs to another request'],
    ]);
  });

  test('an act whose instance died is carried out by the same request again, and until then it counts as interrupted', async () => {
    const key = { 'idempotency-key': 'a-key' };
    const body = { scope, reason: 'once' };
    world.down.add('tables');
    assert.equal((await ask('revoke', 'operator', body, {}, key)).status, 503);
    world.down.clear();
    const { status, json } = await ask('revoke', 'operator', body, {}, key);
    assert.equal(status, 200);
    const [first] = kept.values();
    assert.equal(first?.begun.id, json.operation);
    const begun = first?.begun ?? assert.fail();
    const seen = asSeen({ begun, ended: undefined }, Date.parse(begun.at) + 61_000);
    assert.deepEqual([seen.state, seen.problem?.code], ['failed', 'interrupted']);
    assert.equal(asSeen({ begun, ended: undefined }, Date.parse(begun.at)).state, 'running');
  });

  test('a reason is one line of text: a script and a formula are kept as they are, a line break and 100 kB are refused', async () => {
    for (const reason of ['<script>alert(1)</script>', '=HYPERLINK("x")', 'naïve ☂'])
      assert.equal((await ask('revoke', 'operator', { scope, reason })).json.reason, reason);
    for (const reason of [
      undefined,
      '',
      '  ',
      7,
      'a\nb',
      'a\u0000',
      'a\u2028b',
      '\u202ea',
      'x'.repeat(257),
      'x'.repeat(100_000),
    ])
      assert.equal(
        (await ask('revoke', 'operator', { scope, reason })).status,
        400,
        JSON.stringify(reason)?.slice(0, 20),
      );
    const key = 'A'.repeat(84);
    const { json } = await ask('revoke', 'operator', { scope, reason: `leaked ${key}` });
    assert.ok(!JSON.stringify([json, ...kept.values(), ...gate.records]).includes(key));
  });

  test('lists come in pages, and each item is on one of them', async () => {
    for (const name of ['people', 'apps'])
      for (const block of [true, false])
        await ask('revoke', 'operator', {
          scope: { kind: 'grant', name },
          block,
          reason: `${name} ${block}`,
        });
    const seen: string[] = [];
    let after = '';
    do {
      const query = { limit: '1', ...(after === '' ? {} : { after }) };
      const path = `/operator/revocations?${new URLSearchParams(query)}`;
      const answer = await operators.listRevocations(
        request('GET', path, { headers: { authorization: 'Bearer auditor' }, query }),
      );
      const page = answer.jsonBody as { items: { key: string }[]; next?: string };
      seen.push(...page.items.map(({ key }) => key));
      after = page.next ?? '';
    } while (after !== '');
    assert.deepEqual(seen.toSorted(), ['grant:apps', 'grant:people']);
  });

  test('what cannot be read is a 400 that repeats nothing of it', async () => {
    for (const body of ['', 'not json SECRET', '[]', '"x"', '{"scope":"SECRET"}', '{}'])
      for (const action of ['revoke', 'lift'] as const) {
        const { status, json } = await ask(action, 'operator', body);
        assert.equal(status, 400);
        assert.equal(json.status, 400);
        assert.ok(!JSON.stringify(json).includes('SECRET'));
      }
    for (const body of ['x', '{"slot":"key1"}', '{"emergency":"yes"}', '{"reason":7}', '{}'])
      assert.equal((await ask('rotate', 'operator', body, { name: 'speech' })).status, 400);
  });

  test('a member twice, in another case, or unknown is refused before anything is done', async () => {
    const grant = '{"kind":"grant","name":"people"}';
    const resource = { name: 'speech' };
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
      ['rotate', '{"slot":"Key1","slot":"Key2"}', resource],
      ['rotate', '{"SECRET":true}', resource],
      ['rotate', `{"reason":${'['.repeat(2_000)}${']'.repeat(2_000)}}`, resource],
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
        const { status, json } = await ask(action, 'operator', { scope: unknown, reason: 'x' });
        assert.equal(status, 400);
        assert.match(json.detail, new RegExp(unknown.name));
      }
    const tenant = { kind: 'tenant', tenantId: USER };
    for (const action of ['revoke', 'lift'] as const)
      assert.equal((await ask(action, 'operator', { scope: tenant, reason: 'x' })).status, 400);
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

const NEXT = '2026-11-21T10:00:00.000Z-0a1b2c3d-7~3';

test('an auditor reads a span a page at a time, by resource, caller and outcome; what is none of them is refused', async () => {
  const get = (query: Record<string, string>) =>
    operators.readAudit(
      request('GET', '/operator/audit', { headers: { authorization: 'Bearer auditor' }, query }),
    );
  const from = '2026-11-21T09:00:00Z';
  const to = '2026-11-21T12:00:00+01:00';
  const page = await get({
    from,
    to,
    resource: 'speech',
    caller: USER,
    outcome: 'refused',
    limit: '7',
    after: NEXT,
  });
  assert.deepEqual(page.jsonBody, { items: [], next: 'more' });
  await get({});
  assert.deepEqual(asked, [
    {
      fromMs: Date.parse(from),
      toMs: Date.parse(to),
      resource: 'recorded-speech',
      caller: USER,
      outcome: 'refused',
      limit: 7,
      after: { row: NEXT.slice(0, -2), record: 3 },
    },
    {
      fromMs: Date.parse('2026-11-22T08:00:00Z'),
      toMs: Date.parse('2026-11-22T09:00:00Z'),
      resource: undefined,
      caller: undefined,
      outcome: undefined,
      limit: 100,
      after: undefined,
    },
  ]);
  for (const wrong of [
    { from: 'yesterday' },
    { from: to, to: from },
    { caller: 'ada' },
    { outcome: 'maybe' },
    { limit: '0' },
    { limit: '1001' },
    { limit: 'x' },
    ...['here', `${NEXT}\u0000`, `${NEXT}'`, '2026-11-21', 'x'.repeat(5_000)].map((after) => ({ after })),
  ])
    assert.equal((await get(wrong)).status, 400, JSON.stringify(wrong).slice(0, 40));
  assert.equal(asked.length, 2);
});

const HINT = 'this route has no query parameters';
const LIST = 'unknown query parameter: the known ones are after, limit';
const KNOWN: Readonly<Record<OperatorAction, string>> = {
  listRevocations: LIST,
  revoke: HINT,
  lift: HINT,
  listEvents: LIST,
  readAudit: 'unknown query parameter: the known ones are from, to, resource, caller, outcome, after, limit',
  readUsage:
    'unknown query parameter: the known ones are from, to, by, per, resource, caller, grant, kind, outcome, reason, after, limit',
  readProof: 'unknown query parameter: the known ones are from, to, after, limit',
  exportAudit: 'unknown query parameter: the known ones are from, to, after',
  listAccounts: LIST,
  readAccount: HINT,
  readHistory: LIST,
  pause: HINT,
  resume: HINT,
  rotate: HINT,
  listOperations: LIST,
  readOperation: HINT,
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
          params: { name: 'speech' },
          query: Object.fromEntries(new URL(path, 'http://x').searchParams.entries()),
          body: JSON.stringify({ scope, reason: 'x' }),
        }),
      );
      assert.equal(answer.status, 400);
      assert.equal(answer.jsonBody.detail, detail);
    }
    assert.deepEqual([rotated, asked, world.bumps], [[], [], 0]);
  });

test('a query parameter that is sent twice is refused, since one of the two would be left out', async () => {
  const answer = await operators.readAudit(
    request('GET', '/operator/audit?resource=a&resource=b', { headers: { authorization: 'Bearer auditor' } }),
  );
  assert.equal(answer.status, 400);
  assert.match(answer.jsonBody.detail, /a query parameter is sent more than once/);
});

test('who may not ask is told nothing of the query, and is in the audit', async () => {
  const headers = { authorization: 'Bearer plain' };
  const answer = await operators.readAudit(request('GET', '/operator/audit?x=1', { headers }));
  assert.equal(answer.status, 403);
  const [record] = gate.records;
  assert.deepEqual(
    [record?.outcome, record?.act, record?.problem, record?.correlationId],
    ['refused', 'read audit', 'without the app role Broker.Auditor', answer.jsonBody.correlation_id],
  );
  await operators.readAudit(request('GET', '/operator/audit', {}));
  assert.deepEqual(gate.strangers, ['operator: no token']);
});
