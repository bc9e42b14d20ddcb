import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { recordedClaims } from '../../src/exchange/claims.ts';
import { correlationId } from '../../src/http/correlation.ts';
import { createExplainEndpoint } from '../../src/http/operator/explain.ts';
import { compileVersion } from '../../src/policy/version.ts';
import type { AuditRecord, Caller } from '../../src/ports.ts';
import { refusing, revokedBy } from '../../src/revocation/decision.ts';
import { NOW_MS } from '../exchange/caller.ts';
import { ada, bob, captions } from '../exchange/people.ts';
import { RESEARCHERS, samplePolicy } from '../policy/sample.ts';
import { gateOf } from './gate.ts';
import { request } from './requests.ts';

const source = samplePolicy();
const version = compileVersion(JSON.stringify(source));
const ID = correlationId(new Headers(), NOW_MS);
const OUTSIDE = '0af7651916cd43dd8448eb211c80319c';
const adaOutside: Caller = { ...ada, groups: [] };
const people = new Map<string, Caller>([
  ['auditor', { ...ada, objectId: 'auditor', appRoles: ['Broker.Auditor'] }],
  ['ada', adaOutside],
  ['bob', bob],
]);

let records: AuditRecord[];
let spans: [number, number][];
let nowMs: number;
/** How long a read of the audit takes. */
let readMs: number;
const refusal = (more: Partial<AuditRecord> = {}): AuditRecord => ({
  at: new Date(NOW_MS).toISOString(),
  correlationId: ID,
  outcome: 'refused',
  instance: 'i',
  tenantId: ada.tenantId,
  clientId: ada.clientId,
  objectId: ada.objectId,
  uti: ada.uti,
  claims: recordedClaims(version.compiled, adaOutside),
  resource: 'chat',
  reason: 'grant_missing',
  ...more,
});
beforeEach(() => {
  records = [refusal()];
  spans = [];
  nowMs = NOW_MS;
  readMs = 0;
  explainer = created();
});

let explainer: ReturnType<typeof createExplainEndpoint>;
const created = () =>
  createExplainEndpoint({
    gate: gateOf(
      async (token) =>
        people.get(token) ?? { kind: 'caller_unverified', fault: 'signature', hint: 'unexplained' },
      () => nowMs,
    ),
    clock: () => nowMs,
    policyOf: async () => undefined,
    revocations: { revokedBy, refusing },
    snapshot: async () => ({
      version: 'v',
      revocations: new Map(),
      slots: new Map(),
      policy: version.version,
      rules: version,
    }),
    readSpan: async (fromMs, toMs, each) => {
      spans.push([fromMs, toMs]);
      await Promise.resolve();
      nowMs += readMs;
      return records.every(each) ? 'whole' : 'stopped';
    },
  });
async function ask(who: string, body: unknown) {
  const headers = { authorization: `Bearer ${who}` };
  const {
    status,
    jsonBody,
    body: text,
  } = await explainer(request('POST', '/operator/explain', { headers, body: JSON.stringify(body) }));
  return { status, json: jsonBody ?? JSON.parse(String(text)) };
}
const described = ({ kind, tenantId, clientId, objectId, appRoles, scopes, groups }: Caller) => ({
  caller: { kind, tenantId, clientId, objectId, appRoles, scopes, groups },
});

test('a refusal is explained by its correlation id alone: each condition, the advice, and what would flip it', async () => {
  const { status, json } = await ask('auditor', { correlationId: ID });
  assert.equal(status, 200);
  assert.deepEqual([json.outcome, json.reason], ['refused', 'grant_missing']);
  assert.match(json.advice, /The nearest is people: the token does not name the group/);
  const [people] = json.grants;
  assert.equal(people.applies, false);
  assert.deepEqual(
    people.conditions.filter(({ met }: { met: boolean }) => !met),
    [{ rule: 0, condition: 'group', wanted: RESEARCHERS, had: [], met: false }],
  );
  const rule = { tenant: 'home', objectId: ada.objectId };
  assert.deepEqual(json.changes[0].patch, [{ op: 'add', path: '/grants/1/callers/-', value: rule }]);
  assert.deepEqual(json.callerChanges[0].caller.groups, [RESEARCHERS]);
  const [[fromMs = 0, toMs = 0] = []] = spans;
  assert.ok(fromMs < NOW_MS && toMs > NOW_MS && toMs - fromMs < 3_600_000, 'not a whole day is read');
});

test('an id that came from outside needs a time, and a span is an hour at most', async () => {
  records = [refusal({ correlationId: OUTSIDE })];
  assert.equal((await ask('auditor', { correlationId: OUTSIDE })).status, 400);
  const at = new Date(NOW_MS).toISOString();
  assert.equal((await ask('auditor', { correlationId: OUTSIDE, at })).status, 200);
  const span = { from: at, to: new Date(NOW_MS + 3_600_001).toISOString() };
  assert.equal((await ask('auditor', { correlationId: OUTSIDE, ...span })).status, 400);
});

test('a refusal of somebody whom nobody verified is told in words, from the sample that is kept', async () => {
  const { tenantId: _, clientId: __, objectId: ___, claims: ____, ...stranger } = refusal();
  const samples = [{ correlationId: ID, resource: 'chat' }];
  for (const [fault, words] of [
    ['audience', /ask Entra for the broker's own scope/],
    ['version', /requestedAccessTokenVersion to 2/],
    ['no_permission', /Assign an app role of the broker/],
    ['tenant', /not one of `tenants`/],
  ] as const) {
    records = [
      { ...stranger, correlationId: 'other', reason: `caller_unverified: ${fault}`, count: 7, samples },
    ];
    const { status, json } = await ask('auditor', { correlationId: ID });
    assert.equal(status, 200);
    assert.match(json.advice, words);
    assert.equal(json.reason, `caller_unverified: ${fault}`);
  }
});

test('a person in too many groups for a token is told of the overage', async () => {
  const { json } = await ask('auditor', {
    ...described(adaOutside),
    caller: { ...described(adaOutside).caller, groupOverage: true },
    resource: 'chat',
  });
  assert.match(json.advice, /group overage/);
});

test('a described caller is answered as the exchange would: granted, or refused with the audit’s reason', async () => {
  const granted = await ask('auditor', { ...described(ada), resource: 'chat' });
  assert.deepEqual(
    [granted.json.outcome, granted.json.grant, granted.json.tokenKind, granted.json.changes],
    ['granted', 'people', 'obo', []],
  );
  const reasons = await Promise.all(
    [
      { ...described(captions), resource: 'chat' },
      { ...described(captions), resource: 'spech' },
      { ...described({ ...captions, appRoles: [] }), resource: 'speech' },
      { ...described(captions), resource: 'speech', tokenKind: 'entra' },
    ].map(async (body) => (await ask('auditor', body)).json),
  );
  assert.deepEqual(
    reasons.map(({ reason }) => reason),
    ['grant_missing', 'target_unknown', 'caller_unverified: no_permission', 'grant_missing'],
  );
  assert.match(reasons[1].advice, /did you mean "speech"/);
});

test('a caller learns of its own refusal and of nothing else: no grant, no other caller, no described one', async () => {
  const own = await ask('ada', { correlationId: ID });
  assert.equal(own.status, 200);
  assert.equal(own.json.reason, 'not_for_this_caller');
  assert.deepEqual(own.json.caller.claims.scopes, ['Token.Exchange']);
  for (const secret of ['people', RESEARCHERS, 'grants', 'changes'])
    assert.ok(!JSON.stringify(own.json).includes(secret), secret);
  records = [refusal({ reason: 'target_unknown', resource: 'nothing' })];
  assert.deepEqual((await ask('ada', { correlationId: ID })).json.reason, 'not_for_this_caller');
  assert.equal((await ask('bob', { correlationId: ID })).status, 404);
  assert.equal((await ask('ada', { ...described(ada), resource: 'chat' })).status, 403);
  assert.equal((await ask('nobody', { correlationId: ID })).status, 401);
});

test('what cannot be read is a 400 that repeats nothing of it', async () => {
  for (const body of [
    { correlationId: 'SECRET' },
    { correlationId: ID, SECRET: 1 },
    { caller: { SECRET: 1 }, resource: 'x' },
    { SECRET: 1 },
    {},
  ]) {
    const { status, json } = await ask('auditor', body);
    assert.equal(status, 400);
    assert.ok(!JSON.stringify(json).includes('SECRET'), json.detail);
  }
});

test('callers who ask about their own refusals read the audit one at a time, a tenth of the time; auditors do not wait', async () => {
  readMs = 2_000;
  const asked = await Promise.all([1, 2, 3].map(() => ask('ada', { correlationId: ID })));
  assert.deepEqual(
    asked.map(({ status }) => status),
    [200, 429, 429],
  );
  assert.equal((await ask('auditor', { correlationId: ID })).status, 200);
  nowMs = NOW_MS + 2_000 + 17_999;
  assert.equal((await ask('bob', { correlationId: ID })).status, 429);
  assert.equal(spans.length, 2, 'nothing was read for those who were told to come again');
  nowMs = NOW_MS + 2_000 + 18_000;
  assert.equal((await ask('ada', { correlationId: ID })).status, 200);
});

test('where the policy would grant now, the answer says what it has not decided again', async () => {
  records = [refusal({ reason: 'scope_unsupported', claims: recordedClaims(version.compiled, ada) })];
  const { json } = await ask('auditor', { correlationId: ID });
  assert.deepEqual([json.outcome, json.now.outcome], ['refused', 'granted']);
  assert.match(json.unknown, /the scope that was asked for, the rate/);
});
