import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countdownOf, isShown } from '../../src/console/views/revocations/countdown.ts';
import { filterOf, outstanding } from '../../src/console/views/revocations/outstanding.ts';
import { readScope, scopeWords } from '../../src/console/views/revocations/scope.ts';
import type { AuditRecord, Revocation } from '../../src/console/wire.ts';
import { scopeShape } from '../../src/revocation/events/request.ts';

const ID = 'd2a8c5e1-7f04-4b39-86d1-e9b3a0c74f51';
const TENANT = '3f6f2c9e-5d1b-4c7a-9e42-8a1d0b7c5e01';
const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (claims: object): string => `${base64url({ alg: 'RS256' })}.${base64url(claims)}.c2ln`;

describe('what is to be revoked', () => {
  it('is a scope that the broker reads, for each kind that the form offers', () => {
    const values = {
      client: ID,
      user: ID,
      token: 'Zx9_abc-1',
      tenant: '',
      resource: 'speech',
      grant: 'nightly',
    } as const;
    for (const [kind, value] of Object.entries(values)) {
      const scope = readScope({ kind: kind as keyof typeof values, tenantId: TENANT, value: ` ${value} ` });
      assert.ok(typeof scope !== 'string', String(scope));
      assert.ok(scopeShape.safeParse(scope).success, JSON.stringify(scope));
      assert.match(scopeWords(scope), /^the /);
    }
  });
  it('is the id of a token that is pasted, never the token', () => {
    const pasted = token({ uti: 'Zx9', tid: TENANT });
    const scope = readScope({ kind: 'token', tenantId: 'other', value: pasted });
    assert.deepEqual(scope, { kind: 'token', tenantId: TENANT, uti: 'Zx9' });
  });
  it('is refused in words, without repeating what was pasted, where it cannot be read', () => {
    for (const value of [token({ tid: TENANT }), 'eyJ.%%%.x']) {
      const said = readScope({ kind: 'token', tenantId: TENANT, value });
      assert.ok(typeof said === 'string' && !said.includes(value));
    }
    for (const [kind, value] of [
      ['client', 'captions'],
      ['user', 'ada'],
      ['resource', ' '],
      ['token', ''],
    ] as const)
      assert.equal(typeof readScope({ kind, tenantId: TENANT, value }), 'string');
    assert.equal(typeof readScope({ kind: 'client', tenantId: '', value: ID }), 'string');
  });
  it('may be a person by user name, which the broker looks up', () => {
    const scope = readScope({ kind: 'user', tenantId: TENANT, value: 'ada@example.com' });
    assert.deepEqual(scope, { kind: 'user', tenantId: TENANT, objectId: 'ada@example.com' });
  });
});

describe('the tokens that nobody can end', () => {
  const now = Date.parse('2026-11-27T06:00:00Z');
  const record = (more: Partial<AuditRecord>): AuditRecord => ({
    at: '2026-11-27T05:55:00Z',
    correlationId: '0'.repeat(32),
    outcome: 'granted',
    instance: 'i',
    resource: 'speech',
    tokenKind: 'sts',
    clientId: ID,
    expiresAt: '2026-11-27T06:05:00Z',
    ...more,
  });
  const scope = { kind: 'client', tenantId: TENANT, clientId: ID } as const;

  it('are those of the scope that have not run out, by account and kind, the last end first', () => {
    const records = [
      record({}),
      record({ expiresAt: '2026-11-27T06:07:00Z' }),
      record({ resource: 'chat', tokenKind: 'entra', expiresAt: '2026-11-27T07:00:00Z' }),
      record({ expiresAt: '2026-11-27T05:59:00Z' }),
      record({ clientId: TENANT }),
      record({ expiresAt: undefined }),
    ];
    const out = outstanding(scope, records, true, now);
    assert.deepEqual(
      out?.byResource.map(({ resource, kind, count }) => [resource, kind, count]),
      [
        ['chat', 'entra', 1],
        ['speech', 'sts', 2],
      ],
    );
    assert.equal(out?.count, 3);
    assert.equal(out?.lastMs, Date.parse('2026-11-27T07:00:00Z'));
  });
  it('are not those that were handed out after the revocation, to a newer token of Entra', () => {
    const out = outstanding(
      scope,
      [record({}), record({ at: '2026-11-27T05:59:00Z' })],
      true,
      now,
      now - 120_000,
    );
    assert.equal(out?.count, 1);
  });
  it('are not told of a scope that the record has no member for', () => {
    assert.equal(outstanding({ kind: 'subject', tenantId: TENANT, subject: 's' }, [], true, now), undefined);
    assert.equal(outstanding({ kind: 'constructor' }, [], true, now), undefined);
  });
  it('are looked for with the narrowest filter that leaves none out', () => {
    assert.deepEqual(filterOf(scope), { caller: ID });
    assert.deepEqual(filterOf({ kind: 'resource', name: 'speech' }), { resource: 'speech' });
    assert.deepEqual(filterOf({ kind: 'grant', name: 'nightly' }), {});
  });
});

describe('the countdown of a revocation', () => {
  const entry: Revocation = {
    key: `client:${TENANT}:${ID}`,
    scope: { kind: 'client' },
    cutOff: '2026-11-27T06:00:00Z',
    blocked: false,
    reason: 'looks odd',
    source: 'operator x',
    receivedAt: '2026-11-27T06:00:00.000Z',
    inForceAt: '2026-11-27T06:00:00.200Z',
    lastTokenUntil: '2026-11-27T06:10:00.000Z',
  };
  const at = (text: string): number => Date.parse(text);
  const done = (times: Revocation, lastMs: number | undefined, nowMs: number) =>
    countdownOf(times, lastMs, nowMs).stages.map((stage) => stage.done);

  it('goes from received by in force to the last token dead', () => {
    assert.deepEqual(
      done({ ...entry, inForceAt: undefined, lastTokenUntil: undefined }, undefined, at(entry.receivedAt)),
      [true, false, false],
    );
    assert.deepEqual(done(entry, undefined, at('2026-11-27T06:05:00Z')), [true, true, false]);
    assert.deepEqual(done(entry, undefined, at('2026-11-27T06:10:00Z')), [true, true, true]);
  });
  it('ends with the last token that is known, before the longest that could be', () => {
    const { leftMs, part } = countdownOf(entry, at('2026-11-27T06:04:00Z'), at('2026-11-27T06:02:00Z'));
    assert.equal(leftMs, 120_000);
    assert.ok(part > 0.49 && part < 0.51);
    assert.deepEqual(done(entry, at('2026-11-27T06:04:00Z'), at('2026-11-27T06:04:00Z')), [true, true, true]);
  });
  it('is over with being in force where no token is out', () => {
    const { leftMs, part } = countdownOf(entry, at('2026-11-27T06:00:00.200Z'), at('2026-11-27T06:00:01Z'));
    assert.deepEqual([leftMs, part], [0, 1]);
  });
  it('is never said to be over before it is in force', () => {
    const waiting = { ...entry, inForceAt: undefined, lastTokenUntil: undefined };
    assert.notEqual(
      countdownOf(waiting, at('2026-11-27T05:00:00Z'), at('2026-11-27T09:00:00Z')).stages[2]?.done,
      true,
    );
  });
  it('is found by scope, state, reason and who', () => {
    for (const text of ['', 'ODD', ID, 'operator x', ' cut off']) assert.ok(isShown(entry, text), text);
    assert.ok(!isShown(entry, 'blocked') && isShown({ ...entry, blocked: true }, 'blocked'));
  });
});
