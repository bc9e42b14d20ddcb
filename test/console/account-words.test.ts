import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ageOf, isShown, stateOf } from '../../src/console/views/accounts/say.ts';
import { ACTS, wordsOf } from '../../src/console/views/accounts/words.ts';
import type { Account } from '../../src/console/wire.ts';

const account = (more: Partial<Account> = {}): Account => ({
  name: 'speech',
  kind: 'SpeechServices',
  tokenKinds: ['sts'],
  rotates: true,
  asOf: '2026-11-27T06:00:00Z',
  state: 'steady',
  phase: 'steady',
  active: 'Key1',
  slots: [{ slot: 'Key1', state: 'active', since: '2026-11-01T00:00:00Z' }],
  dueAt: '2026-12-01T00:00:00Z',
  ...more,
});
const blocked = { code: 'vault_forbidden', what: 'the rotator may not read the secret' } as const;

describe('an account in words', () => {
  const cases: readonly (readonly [name: string, more: Partial<Account>, words: string, tone: string])[] = [
    ['steady', {}, 'Steady', 'good'],
    ['rotating', { phase: 'draining', state: 'draining (Key1)' }, 'Draining (Key1)', ''],
    ['paused', { paused: { by: 'x', reason: 'y' } }, 'Paused', 'warn'],
    ['blocked before paused', { blocked, paused: { by: 'x', reason: 'y' } }, 'Blocked', 'warn'],
    [
      'not blocked by a driver that is at it',
      { blocked: { code: 'busy', what: 'driver x is at it' } },
      'Steady',
      'good',
    ],
    ['overdue before blocked', { blocked, overdue: true }, 'Overdue', 'bad'],
    [
      'stuck before all',
      { stuck: true, overdue: true, state: 'stuck: proving (Key2)' },
      'Stuck: proving (Key2)',
      'bad',
    ],
    ['not rotated', { rotates: false, asOf: undefined }, 'Not rotated', ''],
    ['not seen yet', { asOf: undefined }, 'Not looked at yet', ''],
  ];
  for (const [name, more, words, tone] of cases)
    it(`says that it is ${name}, in a word and a sign beside the colour`, () => {
      const said = stateOf(account(more));
      assert.deepEqual([said.words, said.tone], [words, tone]);
      assert.notEqual(said.sign, '');
    });
  it('tells how much of its time the key in use has had', () => {
    const { part } = ageOf(account(), Date.parse('2026-11-16T00:00:00Z'));
    assert.equal(part, 0.5);
    assert.equal(ageOf(account({ slots: [{ slot: 'Key1', state: 'active' }] }), 0).part, undefined);
    assert.equal(ageOf(account({ dueAt: undefined }), 0).part, undefined);
  });
  it('is found by name and kind, and by what it needs', () => {
    const rotating = account({ phase: 'proving' });
    assert.ok(isShown(account(), '', ' SPEECHS'));
    assert.ok(!isShown(account(), '', 'vision'));
    assert.ok(isShown(rotating, 'moving', '') && !isShown(account(), 'moving', ''));
    assert.ok(isShown(account({ blocked }), 'attention', '') && !isShown(rotating, 'attention', ''));
  });
});

describe('an act on an account', () => {
  it('names its consequence before it is done, and the account in the button that does it', () => {
    for (const act of ACTS) {
      const { consequence, title } = wordsOf(act, account());
      assert.ok(consequence.length > 0 && consequence.every((sentence) => sentence.endsWith('.')));
      assert.match(title, /speech/);
    }
  });
  it('wants a tick where calls may fail, and only there', () => {
    assert.deepEqual(
      ACTS.filter((act) => wordsOf(act, account()).agree !== undefined),
      ['emergency'],
    );
  });
  it('says of a rotation that it waits while the account is paused', () => {
    const paused = account({ paused: { by: 'x', reason: 'y' } });
    assert.match(wordsOf('rotate', paused).consequence.join(' '), /paused/);
    assert.doesNotMatch(wordsOf('rotate', account()).consequence.join(' '), /paused/);
  });
});
