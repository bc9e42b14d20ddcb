import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Granted } from '../../src/exchange/hand-out.ts';
import { MAX_HOLD_OFF_MS } from '../../src/exchange/tokens.ts';
import { deniedResponse, grantedResponse, unavailableResponse } from '../../src/http/token-response.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { NOW_MS } from '../exchange/caller.ts';
import { samplePolicy } from '../policy/sample.ts';

const [speech, chat] = loadPolicy(JSON.stringify(samplePolicy())).resources;
assert.ok(speech && chat);
const grantOf = (rest: Partial<Granted> = {}): Granted => ({
  token: new Secret('the-token'),
  issuedAtMs: NOW_MS,
  expiresAtMs: NOW_MS + 598_900,
  slot: 'Key1',
  epoch: 0,
  generation: 0,
  kind: 'sts',
  grant: 'captions',
  target: { resource: speech, endpoint: 'https://westeurope.example' },
  ...rest,
});

test('a grant says how long, where, which kind, and what a revocation can still do', () => {
  assert.deepEqual(grantedResponse(grantOf(), NOW_MS), {
    status: 200,
    headers: { 'cache-control': 'no-store', pragma: 'no-cache' },
    jsonBody: {
      access_token: 'the-token',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 598,
      refresh_in: 478,
      token_kind: 'sts',
      endpoint: 'https://westeurope.example',
      region: 'westeurope',
      revocation: 'new exchanges at once; this token until it expires, at most 598 s',
    },
  });
});

test('an Entra token for a Speech account comes in the Speech form too, and only there', () => {
  const body = (granted: Granted) => grantedResponse(granted, NOW_MS).jsonBody as Record<string, unknown>;
  assert.equal(body(grantOf({ kind: 'entra' }))['speech_authorization'], `aad#${speech.accountId}#the-token`);
  assert.ok(!('speech_authorization' in body(grantOf())));
  const elsewhere = grantOf({ kind: 'entra', target: { resource: chat, endpoint: chat.endpoint } });
  assert.ok(!('speech_authorization' in body(elsewhere)));
});

test('a refusal has its code, its words, the correlation id, and no more', () => {
  assert.deepEqual(deniedResponse({ kind: 'target_unknown', target: 'x' }, 'c-1', NOW_MS), {
    status: 400,
    headers: { 'cache-control': 'no-store', pragma: 'no-cache' },
    jsonBody: {
      error: 'invalid_target',
      error_description: 'no such target for this caller',
      correlation_id: 'c-1',
    },
  });
  const limited = deniedResponse({ kind: 'rate_limited', grant: 'g', retryAfterSeconds: 9 }, 'c-1', NOW_MS);
  assert.equal(limited.status, 429);
  assert.deepEqual(limited.headers, { 'cache-control': 'no-store', pragma: 'no-cache', 'retry-after': '9' });
  const challenged = deniedResponse(
    { kind: 'interaction_required', claims: '{"access_token":{}}' },
    'c-1',
    NOW_MS,
  );
  assert.equal((challenged.jsonBody as Record<string, unknown>)['claims'], '{"access_token":{}}');
});

test('an outage says when to come again: what the service asked for, at most until it is asked again, or five seconds', () => {
  const answer = unavailableResponse(new UpstreamFailure('sts', 'was refused', 429, 7), 'c-1');
  assert.equal(answer.status, 503);
  assert.equal(new Headers(answer.headers as Record<string, string>).get('retry-after'), '7');
  const long = unavailableResponse(new UpstreamFailure('sts', 'was refused', 429, 86_400), 'c-1');
  const most = String(MAX_HOLD_OFF_MS / 1000);
  assert.equal(new Headers(long.headers as Record<string, string>).get('retry-after'), most, 'no day away');
  const unknown = unavailableResponse(new UpstreamFailure('sts', 'no answer'), 'c-1');
  assert.equal(new Headers(unknown.headers as Record<string, string>).get('retry-after'), '5');
  assert.ok(!JSON.stringify(unknown).includes('sts'), "which service is nobody's business");
});

test('who needs a newer caller token hears when one can be had, if that is not now', () => {
  const answer = (acceptedFromSeconds: number) => {
    const denial = { kind: 'revoked', scope: 's', of: 'caller', acceptedFromSeconds } as const;
    return new Headers(deniedResponse(denial, 'c-1', NOW_MS).headers as Record<string, string>);
  };
  assert.equal(answer(NOW_MS / 1000 + 121).get('retry-after'), '121');
  assert.equal(answer(NOW_MS / 1000).get('retry-after'), null);
  assert.equal(answer(NOW_MS / 1000 - 60).get('retry-after'), null);
});
