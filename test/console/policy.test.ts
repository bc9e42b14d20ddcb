import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readDraft } from '../../src/console/views/policy/draft.ts';
import { holding, matrixOf } from '../../src/console/views/policy/matrix.ts';
import { moved } from '../../src/console/views/policy/move.ts';
import { lastUses } from '../../src/console/views/policy/uses.ts';
import type { Usage } from '../../src/console/wire.ts';

const app = { tenant: 'home', clientId: 'app-1', appRole: 'Token.Exchange' };
const people = { tenant: 'home', group: 'group-1' };
const grant = (name: string, more = {}) => ({
  name,
  callers: [app],
  resources: ['speech'],
  tokenKinds: ['sts'],
  maxLifetime: '10m',
  ...more,
});
const resources = [
  { name: 'speech', tokenKinds: ['sts', 'entra'] },
  { name: 'docs-1', tokenKinds: ['entra'] },
  { name: 'docs-2', tokenKinds: ['entra'] },
];

describe('the matrix of a policy', () => {
  it('has a row for each rule, however often grants repeat it, and says what the caller is first', () => {
    const { subjects } = matrixOf({
      resources,
      grants: [
        grant('a'),
        grant('b', {
          callers: [people, { appRole: app.appRole, clientId: app.clientId, tenant: app.tenant }],
        }),
      ],
    });
    assert.deepEqual(subjects, [
      {
        key: 'clientId app-1, appRole Token.Exchange, tenant home',
        conditions: [
          ['clientId', 'app-1'],
          ['appRole', 'Token.Exchange'],
          ['tenant', 'home'],
        ],
        grants: ['a', 'b'],
      },
      {
        key: 'group group-1, tenant home',
        conditions: [
          ['group', 'group-1'],
          ['tenant', 'home'],
        ],
        grants: ['b'],
      },
    ]);
  });
  it('gives the kinds that both grant and resource have, with their longest life', () => {
    const { cell } = matrixOf({
      resources,
      grants: [grant('a', { tokenKinds: ['obo', 'entra', 'sts'], rate: { count: 60, per: '1m' } })],
    });
    assert.deepEqual(cell(0, 0), [
      {
        grant: 'a',
        kinds: ['entra', 'sts'],
        maxLifetime: '10m',
        rate: '60 in 1m',
        isShadow: false,
        tried: '',
      },
    ]);
    assert.deepEqual(cell(0, 1), []);
    assert.deepEqual(cell(9, 9), []);
  });
  it('reads patterns as the broker does', () => {
    const { cell, given } = matrixOf({ resources, grants: [grant('a', { resources: ['docs-*', 'spee'] })] });
    assert.deepEqual(
      [0, 1, 2].map((column) => cell(0, column).length),
      [0, 1, 1],
    );
    assert.deepEqual([...given(0)], [1, 2]);
  });
  it('marks what is on trial: a whole grant, or further conditions of a rule', () => {
    const { cell } = matrixOf({
      resources,
      grants: [
        grant('tried', { shadow: true }),
        grant('narrower', { callers: [{ ...app, shadow: { group: 'group-9' } }] }),
      ],
    });
    assert.deepEqual(
      cell(0, 0).map(({ isShadow, tried }) => [isShadow, tried]),
      [
        [true, ''],
        [false, 'group group-9'],
      ],
    );
  });
  it('of ten thousand callers and a thousand resources is made in a moment', () => {
    const many = (count: number, prefix: string) =>
      Array.from({ length: count }, (_, index) => `${prefix}${index}`);
    const startedMs = performance.now();
    const { subjects, cell } = matrixOf({
      resources: many(1_000, 'r').map((name) => ({ name, tokenKinds: ['sts'] })),
      grants: many(100, 'g').map((name, place) =>
        grant(name, {
          callers: many(100, `caller-${place}-`).map((clientId) => ({ tenant: 'home', clientId })),
          resources: ['r*'],
        }),
      ),
    });
    assert.equal(subjects.length, 10_000);
    assert.equal(cell(9_999, 999).length, 1);
    assert.ok(performance.now() - startedMs < 2_000);
  });
});

describe('finding rows and columns', () => {
  it('goes by any part, in any case, and finds all without a text', () => {
    assert.deepEqual(holding(['Speech', 'docs', 'speech-2'], ' SPEECH '), [0, 2]);
    assert.deepEqual(holding(['a', 'b'], ''), [0, 1]);
  });
});

describe('the last use of a cell', () => {
  const items = [
    {
      grant: 'a',
      resource: 'speech',
      caller: 'sp-1',
      clientId: 'app-1',
      at: '',
      lastAt: '2026-11-01T00:00:00Z',
      count: 1,
    },
    {
      grant: 'a',
      resource: 'speech',
      caller: 'sp-2',
      clientId: 'app-2',
      at: '',
      lastAt: '2026-11-02T00:00:00Z',
      count: 1,
    },
    {
      grant: 'a',
      resource: 'speech',
      caller: 'sp-1',
      clientId: 'app-1',
      at: '',
      lastAt: '2026-10-01T00:00:00Z',
      count: 1,
    },
  ];
  const of = (conditions: [string, string][], resource = 'speech', known: readonly Usage[] = items) =>
    lastUses(known).of({ key: '', grants: [], conditions }, 'a', resource);
  it('is of the caller where the rule names one', () => {
    const first = { at: '2026-11-01T00:00:00Z', isOfGrant: false };
    assert.deepEqual(of([['clientId', 'app-1']]), first);
    assert.deepEqual(of([['objectId', 'sp-1']]), first);
    assert.equal(of([['clientId', 'app-3']]), undefined);
  });
  it('is of whoever came by the grant where the rule names many, and says so', () => {
    assert.deepEqual(of([['group', 'g']]), { at: '2026-11-02T00:00:00Z', isOfGrant: true });
    assert.equal(of([['group', 'g']], 'docs'), undefined);
  });
  it("is never told as one caller's where callers are not told apart", () => {
    const known = items.map(({ caller: _, clientId: __, ...item }) => item);
    assert.deepEqual(of([['clientId', 'app-3']], 'speech', known), {
      at: '2026-11-02T00:00:00Z',
      isOfGrant: true,
    });
  });
});

describe('a key in the matrix', () => {
  const size = { rows: 10, columns: 4 };
  const from = { row: 5, column: 1 };
  const go = (key: string, ctrlKey = false) => moved(from, { key, ctrlKey }, size, 3);
  it('leads to the next cell, a page on, or to the ends', () => {
    const places = {
      ArrowUp: [4, 1],
      ArrowDown: [6, 1],
      ArrowLeft: [5, 0],
      ArrowRight: [5, 2],
      PageUp: [2, 1],
      PageDown: [8, 1],
      Home: [5, 0],
      End: [5, 3],
    };
    for (const [key, [row, column]] of Object.entries(places))
      assert.deepEqual(go(key), { row, column }, key);
    assert.deepEqual(go('Home', true), { row: 0, column: 0 });
    assert.deepEqual(go('End', true), { row: 9, column: 3 });
  });
  it('never leads out of it, and other keys stay what they are', () => {
    assert.deepEqual(moved({ row: 0, column: 0 }, { key: 'ArrowUp', ctrlKey: false }, size, 3), {
      row: 0,
      column: 0,
    });
    assert.deepEqual(moved({ row: 9, column: 3 }, { key: 'PageDown', ctrlKey: false }, size, 3), {
      row: 9,
      column: 3,
    });
    for (const key of ['a', 'Tab', 'Enter', 'constructor', '__proto__']) assert.equal(go(key), undefined);
  });
});

describe('a pasted draft', () => {
  it('is sent as it is when it is an object', () => {
    assert.deepEqual(readDraft(' {"grants": []} '), { policy: { grants: [] } });
  });
  it('that is none is said to be so before anything is sent', () => {
    for (const text of ['', ' ', '[]', '"x"', 'null', '{"a":', 'grants: []'])
      assert.ok('fault' in readDraft(text), JSON.stringify(text));
  });
});
