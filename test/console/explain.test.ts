import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { askedOf, words } from '../../src/console/views/explain/asked.ts';
import {
  byNearness,
  type Condition,
  conditionWords,
  type Full,
  headline,
  nowWords,
  rulesOf,
} from '../../src/console/views/explain/sentences.ts';

const ID = '019abf6e4a007c3d9e15b6f84a028e4d';

describe('what is to be explained', () => {
  it('is a correlation id, with or without hyphens and blanks', () => {
    for (const correlation of [ID, '019ABF6E-4a00-7c3d-9e15-b6f84a028e4d', ` ${ID}\n`])
      assert.deepEqual(askedOf({ correlation }), { correlationId: ID });
  });
  it('has the time for an id that came from outside, in UTC', () => {
    assert.deepEqual(askedOf({ correlation: ID, at: '2026-11-27T06:00:00+01:00' }), {
      correlationId: ID,
      at: '2026-11-27T05:00:00.000Z',
    });
    assert.deepEqual(askedOf({ correlation: ID, at: 'yesterday' }), { correlationId: ID });
  });
  it('is nothing at first, and words where the address holds no id', () => {
    assert.equal(askedOf({}), undefined);
    assert.equal(typeof askedOf({ correlation: '<script>' }), 'string');
    assert.equal(typeof askedOf({ client: 'x' }), 'string');
  });
  it('is a described caller with lists from blanks and commas', () => {
    const asked = askedOf({
      tenant: 't',
      client: 'c',
      object: 'o',
      kind: 'user',
      roles: 'A, B',
      groups: 'g',
      resource: 'speech',
      tokenKind: 'sts',
    });
    assert.deepEqual(asked, {
      caller: {
        tenantId: 't',
        clientId: 'c',
        objectId: 'o',
        kind: 'user',
        appRoles: ['A', 'B'],
        scopes: [],
        groups: ['g'],
      },
      resource: 'speech',
      tokenKind: 'sts',
    });
    assert.deepEqual(words(' '), []);
  });
});

describe('an explanation', () => {
  const condition = (more: Partial<Condition>): Condition => ({
    condition: 'group',
    wanted: 'g',
    had: [],
    met: false,
    ...more,
  });
  const grant = (name: string, ...conditions: Condition[]) => ({
    name,
    applies: conditions.every(({ met }) => met),
    conditions,
  });

  it('says of a condition what is wanted and what the caller has', () => {
    assert.equal(conditionWords(condition({})), 'group: g is wanted, and the caller has nothing');
    assert.equal(
      conditionWords(condition({ had: ['a', 'b'] })),
      'group: g is wanted, and the caller has a, b',
    );
    assert.equal(conditionWords(condition({ met: true, had: ['g'] })), 'group: g');
  });
  it('begins with the grant that applies, and then the one that is nearest', () => {
    const far = grant('far', condition({}), condition({ condition: 'tenant' }));
    const near = grant('near', condition({}), condition({ condition: 'tenant', met: true }));
    const fits = grant('fits', condition({ met: true }));
    assert.deepEqual(
      byNearness([far, near, fits]).map(({ name }) => name),
      ['fits', 'near', 'far'],
    );
  });
  it('keeps the conditions of one rule together', () => {
    const of = grant(
      'g',
      condition({ rule: 0 }),
      condition({ rule: 1 }),
      condition({ rule: 0, condition: 'tenant' }),
      condition({ condition: 'tokenKind' }),
    );
    const found = rulesOf(of).map(([rule, conditions]) => [rule, conditions.length]);
    assert.deepEqual(found, [
      [0, 2],
      [1, 1],
      [undefined, 1],
    ]);
  });
  it('has the outcome in its headline, and what would be answered now', () => {
    assert.equal(headline({ outcome: 'refused', reason: 'grant_missing' }), 'Refused: grant_missing');
    assert.equal(
      headline({ outcome: 'granted', grant: 'nightly', tokenKind: 'sts' }),
      'Granted under nightly, as sts token',
    );
    const full = (now?: 'granted' | 'refused') =>
      ({ outcome: 'refused', ...(now && { now: { outcome: now } }) }) as Full;
    assert.equal(nowWords(full()), undefined);
    assert.match(nowWords(full('granted')) ?? '', /would be granted/);
    assert.match(nowWords(full('refused')) ?? '', /refused too/);
  });
});
