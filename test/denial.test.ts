import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallerFault, type Denial, reason, wire } from '../src/denial.ts';
import type { TokenHint } from '../src/token-hint.ts';

/** One of each kind: the type makes this list complete. */
const one: { [Kind in Denial['kind']]: Extract<Denial, { kind: Kind }> } = {
  request_malformed: { kind: 'request_malformed', status: 400, detail: 'what to send' },
  client_authentication: { kind: 'client_authentication', method: 'Basic' },
  grant_type_unsupported: { kind: 'grant_type_unsupported' },
  actor_token: { kind: 'actor_token' },
  subject_token_type: { kind: 'subject_token_type', type: 'id_token' },
  caller_unverified: { kind: 'caller_unverified', fault: 'signature', hint: 'unexplained' },
  scope_unsupported: { kind: 'scope_unsupported' },
  target_unknown: { kind: 'target_unknown', target: 'secret-project' },
  targets_differ: { kind: 'targets_differ' },
  grant_missing: { kind: 'grant_missing', resource: 'secret-project' },
  user_required: { kind: 'user_required', resource: 'secret-project' },
  lifetime_unmet: { kind: 'lifetime_unmet', resource: 'secret-project', grant: 'the-grant' },
  revoked: { kind: 'revoked', scope: 'user secret-project', of: 'caller', acceptedFromSeconds: undefined },
  rate_limited: { kind: 'rate_limited', grant: 'the-grant', retryAfterSeconds: 7 },
  interaction_required: { kind: 'interaction_required', claims: '{"access_token":{}}' },
  obo_refused: { kind: 'obo_refused' },
};

const expected: { [Kind in Denial['kind']]: [status: number, error: string] } = {
  request_malformed: [400, 'invalid_request'],
  client_authentication: [401, 'invalid_client'],
  grant_type_unsupported: [400, 'unsupported_grant_type'],
  actor_token: [400, 'invalid_request'],
  subject_token_type: [400, 'invalid_request'],
  caller_unverified: [400, 'invalid_request'],
  scope_unsupported: [400, 'invalid_scope'],
  target_unknown: [400, 'invalid_target'],
  targets_differ: [400, 'invalid_target'],
  grant_missing: [400, 'invalid_target'],
  user_required: [400, 'invalid_request'],
  lifetime_unmet: [400, 'invalid_target'],
  revoked: [400, 'invalid_request'],
  rate_limited: [429, 'temporarily_unavailable'],
  interaction_required: [400, 'interaction_required'],
  obo_refused: [400, 'invalid_request'],
};

for (const denial of Object.values(one))
  test(`${denial.kind} has its status and code, and its words tell a stranger nothing`, () => {
    const answer = wire(denial);
    assert.deepEqual([answer.status, answer.error], expected[denial.kind]);
    // RFC 6749 section 5.2: these characters only.
    assert.match(answer.description, /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
    assert.ok(!JSON.stringify(answer).includes('secret-project'));
    assert.ok(!JSON.stringify(answer).includes('the-grant'));
    assert.ok(reason(denial).startsWith(denial.kind), 'the audit names the kind');
  });

test("a target that is not there and one that is not the caller's are told apart by nobody outside", () => {
  const unknown = wire(one.target_unknown);
  assert.deepEqual(unknown, wire(one.grant_missing));
  assert.deepEqual(unknown, wire(one.targets_differ));
  assert.deepEqual(
    unknown,
    wire({ kind: 'revoked', scope: 'resource chat', of: 'target', acceptedFromSeconds: undefined }),
  );
});

test('the fault of a token shows in the audit only; what its caller is told is the hint', () => {
  const faults: Record<CallerFault, true> = {
    missing: true,
    too_large: true,
    malformed: true,
    algorithm: true,
    type: true,
    bound: true,
    unknown_key: true,
    signature: true,
    key_issuer: true,
    issuer: true,
    audience: true,
    tenant: true,
    version: true,
    expired: true,
    not_yet_valid: true,
    claims: true,
    no_permission: true,
  };
  const denials = (Object.keys(faults) as CallerFault[]).map(
    (fault) => ({ kind: 'caller_unverified', fault, hint: 'unexplained' }) as const,
  );
  assert.equal(new Set(denials.map((denial) => JSON.stringify(wire(denial)))).size, 1);
  assert.equal(new Set(denials.map(reason)).size, denials.length);
});

const AUDIENCE = '00000000-0000-4000-8000-0000000000aa';
const words: readonly (readonly [TokenHint, string])[] = [
  ['missing', 'is required'],
  ['unreadable', 'cannot be read: it must be a signed JWT, as Entra issues it'],
  ['expired', 'has expired: get a new one from Entra'],
  [{ kind: 'audience', wanted: AUDIENCE }, `is for another audience: its aud must be ${AUDIENCE}`],
  [
    'other_tenant',
    "is not accepted: it is not of the broker's own tenant, and of other tenants only those that the policy names may call",
  ],
  ['unexplained', 'is not accepted'],
];
for (const [hint, text] of words)
  test(`a caller is told that its token ${text}, by the name that the token has in the request`, () => {
    const denial = { kind: 'caller_unverified', fault: 'signature', hint } as const;
    assert.equal(wire(denial).description, `subject_token ${text}`);
    assert.equal(wire(denial, 'the access token').description, `the access token ${text}`);
    // RFC 6749 section 5.2 and RFC 6750 section 3: these characters only.
    assert.match(wire(denial).description, /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
  });

test('a wait and a claims challenge reach the caller', () => {
  assert.equal(wire(one.rate_limited).retryAfterSeconds, 7);
  assert.equal(wire(one.interaction_required).claims, '{"access_token":{}}');
  assert.ok(!('claims' in wire({ kind: 'interaction_required', claims: undefined })));
});

test('a caller whose token is too old hears which would do, in the claims that Entra takes; a blocked one that none would', () => {
  const revoked = { kind: 'revoked', scope: 'user u', of: 'caller' } as const;
  const tooOld = wire({ ...revoked, acceptedFromSeconds: 1_772_619_451 });
  assert.deepEqual(JSON.parse(tooOld.claims ?? ''), {
    access_token: { nbf: { essential: true, value: '1772619451' } },
  });
  const blocked = wire({ ...revoked, acceptedFromSeconds: undefined });
  assert.ok(!('claims' in blocked));
  assert.match(blocked.description, /a newer one is not either/);
  assert.equal(tooOld.error, blocked.error);
});
