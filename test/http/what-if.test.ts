import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { HttpRequest } from '@azure/functions';
import { MAX_POLICY_BYTES } from '../../src/body-limits.ts';
import { recordedClaims } from '../../src/exchange/claims.ts';
import { createWhatIfEndpoint } from '../../src/http/operator/what-if.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import type { AuditRecord } from '../../src/ports.ts';
import { ada, captions } from '../exchange/people.ts';
import { samplePolicy } from '../policy/sample.ts';
import { gateOf } from './gate.ts';

const source = samplePolicy();
const span = { from: '2026-11-22T00:00:00Z', to: '2026-11-23T00:00:00Z' };
const record: AuditRecord = {
  at: '2026-11-22T12:00:00.000Z',
  correlationId: 'c',
  outcome: 'granted',
  instance: 'i',
  tenantId: captions.tenantId,
  clientId: captions.clientId,
  objectId: captions.objectId,
  claims: recordedClaims(compilePolicy(loadPolicy(JSON.stringify(source))), captions),
  resource: 'speech',
  grant: 'captions',
  tokenKind: 'sts',
};
const endpoint = createWhatIfEndpoint({
  gate: gateOf(async (token) => ({ ...ada, appRoles: token === 'auditor' ? ['Broker.Auditor'] : [] })),
  readSpan: async (_from, _to, each) => {
    each(record);
    return 'unfinished';
  },
});
async function ask(body: unknown, { who = 'auditor', packed = false } = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await endpoint(
    new HttpRequest({
      method: 'POST',
      url: 'http://127.0.0.1/operator/what-if',
      headers: { authorization: `Bearer ${who}`, ...(packed && { 'content-encoding': 'gzip' }) },
      body: packed ? { bytes: gzipSync(text) } : { string: text },
    }),
  );
  return { status: answer.status, json: answer.jsonBody ?? JSON.parse(String(answer.body)) };
}
const draft = { ...source, grants: source.grants.slice(1) };

test('a draft is answered with who loses what, packed or not, and how far the span was read', async () => {
  for (const packed of [false, true]) {
    const { status, json } = await ask({ policy: draft, ...span }, { packed });
    assert.equal(status, 200);
    assert.deepEqual([json.requests, json.same, json.changed.length], [1, 0, 1]);
    assert.equal(json.until, record.at);
  }
});

test('a draft that is no policy is a 422 with every problem and its path', async () => {
  const { status, json } = await ask({ policy: { ...draft, tenants: [] }, ...span });
  assert.equal(status, 422);
  assert.match(json.detail, /tenants/);
});

test('what cannot be read, unpacks to too much, or is of nobody with the role, is refused', async () => {
  assert.equal((await ask('x')).status, 400);
  assert.equal((await ask({ policy: draft })).status, 400);
  assert.equal((await ask({ policy: draft, ...span, to: '2027-11-23T00:00:00Z' })).status, 400);
  const large = { policy: { padding: ' '.repeat(MAX_POLICY_BYTES) }, ...span };
  assert.equal((await ask(large, { packed: true })).status, 413);
  assert.equal((await ask({ policy: draft, ...span }, { who: 'ada' })).status, 403);
});
