/** Every way to be refused, and what the audit says of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Denial, reason } from '../../src/denial.ts';
import type { Granted } from '../../src/exchange/hand-out.ts';
import { shortVersion } from '../../src/policy/version.ts';
import { RESEARCHERS } from '../policy/sample.ts';
import { NOW_MS } from './caller.ts';
import { ada, captions, denied, granted } from './people.ts';
import { createWorld, type World } from './world.ts';

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
  claims: { kind: 'application', issuedAt: captions.issuedAtSeconds, appRoles: ['Token.Exchange'] },
};
const underCaptions = { ...who, resource: 'speech', grant: 'captions', tokenKind: 'sts' };
const whoAda = {
  tenantId: ada.tenantId,
  clientId: ada.clientId,
  objectId: ada.objectId,
  uti: ada.uti,
  claims: { kind: 'user', issuedAt: ada.issuedAtSeconds, scopes: ['Token.Exchange'], groups: [RESEARCHERS] },
};
const underPeople = { ...whoAda, resource: 'chat', grant: 'people', tokenKind: 'obo' };

const OWN_ACCOUNT = { blueprintId: captions.clientId, actsFor: 'own_account' } as const;

const rows: readonly Row[] = [
  {
    what: 'a target that is not there',
    run: (world) => world.ask(captions, 'nothing'),
    denial: { kind: 'target_unknown', target: 'nothing' },
    row: { ...who, resource: 'nothing' },
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
    row: { ...who, resource: 'speech', asked: 'entra' },
  },
  {
    what: 'a scope of its own choice',
    run: (world) => world.ask(captions, 'speech', { scope: 'https://graph.microsoft.com/.default' }),
    denial: { kind: 'scope_unsupported' },
    row: underCaptions,
  },
  {
    what: 'a resource and an audience that are two accounts',
    run: (world) => world.ask(captions, 'speech', { alsoNamed: 'chat' }),
    denial: { kind: 'targets_differ' },
    row: { ...who, resource: 'speech' },
  },
  {
    what: 'a resource of which the audience is no name',
    run: (world) => world.ask(captions, 'nowhere', { alsoNamed: 'nowhere-else' }),
    denial: { kind: 'targets_differ' },
    row: { ...who, resource: 'nowhere' },
  },
  {
    what: "an agent's own user account on behalf of a person that it is not",
    run: (world) => world.ask({ ...ada, agent: OWN_ACCOUNT }, 'chat', { tokenKind: 'obo' }),
    denial: { kind: 'user_required', resource: 'chat' },
    row: {
      ...underPeople,
      claims: { ...underPeople.claims, agent: OWN_ACCOUNT },
      asked: 'obo',
    },
  },
  {
    what: 'an application on behalf of nobody',
    run: (world) =>
      world.ask({ ...captions, groups: [RESEARCHERS], scopes: ['Token.Exchange'] }, 'chat', {
        tokenKind: 'obo',
      }),
    denial: { kind: 'user_required', resource: 'chat' },
    row: {
      ...who,
      claims: { ...who.claims, scopes: ['Token.Exchange'], groups: [RESEARCHERS] },
      resource: 'chat',
      grant: 'people',
      asked: 'obo',
      tokenKind: 'obo',
    },
  },
  {
    what: 'a caller whose access was revoked',
    run: (world) => {
      world.revoke({ kind: 'user', tenantId: captions.tenantId, objectId: captions.objectId });
      return world.ask(captions, 'speech');
    },
    denial: {
      kind: 'revoked',
      scope: `user ${captions.tenantId} ${captions.objectId}`,
      of: 'caller',
      acceptedFromSeconds: NOW_MS / 1000 + 1,
    },
    row: underCaptions,
  },
  {
    what: 'a resource that is blocked',
    run: (world) => {
      world.revoke({ kind: 'resource', name: 'speech' }, { blocked: true });
      return world.ask(captions, 'speech');
    },
    denial: { kind: 'revoked', scope: 'resource speech', of: 'target', acceptedFromSeconds: undefined },
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
    row: { ...underPeople, asked: 'entra', tokenKind: 'entra' },
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
        policy: shortVersion(world.rules.version),
        ...row,
        reason: reason(denial),
      },
    ]);
  });

test('what a stranger is refused for is counted, and no durable write is waited for', async () => {
  const world = createWorld();
  world.auditFails = true;
  const malformed = { kind: 'request_malformed', status: 400, detail: 'say what' } as const;
  assert.deepEqual(denied(await world.exchange(malformed, 'c-1')), malformed);
  const request = { subjectToken: 'x', target: 'speech', tokenKind: undefined, scope: undefined };
  assert.deepEqual(denied(await world.exchange(request, 'c-2')), {
    kind: 'caller_unverified',
    fault: 'signature',
    hint: 'unexplained',
  });
  assert.deepEqual(world.strangers, [
    ['request_malformed: say what', 'c-1', undefined],
    ['caller_unverified: signature', 'c-2', 'speech'],
  ]);
  assert.equal(world.audit.length, 0);
});

test('what was asked for is kept under the name of the policy, or as it was sent, without secrets', async () => {
  const world = createWorld();
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl';
  for (const [target, resource] of [
    ['https://Speech.example/', 'speech'],
    ['https://nothing.example/x?key=hunter2', 'https://nothing.example'],
    [token, '[redacted]'],
  ] as const) {
    await world.ask(captions, target);
    assert.equal(world.audit.at(-1)?.resource, resource);
    const request = { subjectToken: 'x', target, tokenKind: undefined, scope: undefined };
    await world.exchange(request, 'c');
    assert.deepEqual(world.strangers.at(-1), ['caller_unverified: signature', 'c', resource]);
  }
});

test('every kind of denial has its row', () => {
  const kinds: Record<Denial['kind'], true | 'of a stranger'> = {
    request_malformed: 'of a stranger',
    client_authentication: 'of a stranger',
    grant_type_unsupported: 'of a stranger',
    actor_token: 'of a stranger',
    subject_token_type: 'of a stranger',
    caller_unverified: 'of a stranger',
    scope_unsupported: true,
    target_unknown: true,
    targets_differ: true,
    grant_missing: true,
    user_required: true,
    lifetime_unmet: true,
    revoked: true,
    rate_limited: true,
    interaction_required: true,
    obo_refused: true,
  };
  for (const [kind, where] of Object.entries(kinds))
    assert.equal(
      rows.some(({ denial }) => denial.kind === kind),
      where === true,
      kind,
    );
});
