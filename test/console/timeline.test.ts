import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DRIFTS } from '../../src/console/views/accounts/drift.ts';
import { percent, ticks } from '../../src/console/views/accounts/scale.ts';
import { lanesOf } from '../../src/console/views/accounts/timeline.ts';
import { windowOf } from '../../src/console/views/accounts/window.ts';
import type { Account, Step } from '../../src/console/wire.ts';
import type { Drift } from '../../src/rotation/drift.ts';

const T0 = Date.parse('2026-11-27T06:00:00Z');
const MINUTE = 60_000;
const iso = (minutes: number): string => new Date(T0 + minutes * MINUTE).toISOString();

interface Told extends Partial<Omit<Step, 'at' | 'from' | 'to'>> {
  readonly at: number;
  readonly from: string;
  readonly to: string;
}
const step = ({ at, ...rest }: Told): Step => ({
  what: '',
  tookMs: 0,
  by: 'rotator',
  ...rest,
  at: iso(at),
});
/** A whole rotation of both slots, as the rotator writes it, the newest first. */
const ROTATION: readonly Step[] = [
  step({ at: 0, from: 'not adopted', to: 'steady', what: 'not adopted yet' }),
  step({ at: 30, from: 'steady', to: 'promoting (Key1)', what: 'the rotation is due', slot: 'Key1' }),
  step({
    at: 31,
    from: 'promoting (Key1)',
    to: 'promoting (Key1)',
    slot: 'Key1',
    what: 'Key2 must be accepted before it becomes the current key',
  }),
  step({
    at: 40,
    from: 'promoting (Key1)',
    to: 'draining (Key1)',
    slot: 'Key1',
    what: 'Key2 is proved and becomes the current key',
  }),
  step({
    at: 52,
    from: 'draining (Key1)',
    to: 'regenerating (Key1)',
    slot: 'Key1',
    what: 'nothing lives that was bought with Key1',
  }),
  step({
    at: 55,
    from: 'regenerating (Key1)',
    to: 'proving (Key1)',
    slot: 'Key1',
    what: 'Key1 gets a new key',
  }),
  step({
    at: 57,
    from: 'proving (Key1)',
    to: 'proving (Key1)',
    slot: 'Key1',
    what: 'the new Key1 must be accepted, the old one refused',
    newKeyLagMs: 2_000,
    oldKeyLagMs: 3_000,
  }),
  step({
    at: 60,
    from: 'proving (Key1)',
    to: 'promoting (Key2)',
    slot: 'Key1',
    what: 'Key1 is retired; versions with dead keys are disabled',
  }),
  step({
    at: 70,
    from: 'promoting (Key2)',
    to: 'draining (Key2)',
    slot: 'Key2',
    what: 'Key1 is proved and becomes the current key',
  }),
].toReversed();
const account = (more: Partial<Account> = {}): Account => ({
  name: 'speech',
  kind: 'SpeechServices',
  tokenKinds: ['sts'],
  rotates: true,
  asOf: iso(75),
  phase: 'draining',
  active: 'Key1',
  slots: [
    { slot: 'Key1', state: 'active', since: iso(55) },
    { slot: 'Key2', state: 'retiring', since: iso(-100), tokensUntil: iso(82) },
  ],
  dueAt: iso(1_000),
  ...more,
});
const bars = (of: Account, steps: readonly Step[], fromMinutes = -10, nowMinutes = 75) =>
  lanesOf(of, steps, T0 + fromMinutes * MINUTE, T0 + nowMinutes * MINUTE).map(({ slot, bars: found }) => [
    slot,
    ...found.map(
      ({ role, fromMs, toMs, born }) =>
        `${role} ${(fromMs - T0) / MINUTE}–${(toMs - T0) / MINUTE}${born ? ' new' : ''}`,
    ),
  ]);

describe("the time line of an account's keys", () => {
  it('shows each key by what it was used for, through a whole rotation', () => {
    assert.deepEqual(bars(account(), ROTATION), [
      [
        'Key1',
        'unknown -10–0',
        'active 0–40',
        'draining 40–52',
        'regenerating 52–55',
        'proving 55–60 new',
        'spare 60–70',
        'active 70–75',
      ],
      ['Key2', 'unknown -10–0', 'spare 0–40', 'active 40–70', 'draining 70–75'],
    ]);
  });
  it('shades until when a token of the draining key lives, and of no other key', () => {
    const [one, two] = lanesOf(account(), ROTATION, T0, T0 + 75 * MINUTE);
    assert.equal(one?.livesUntilMs, undefined);
    assert.equal(two?.livesUntilMs, T0 + 82 * MINUTE);
  });
  it('shows what is known where no step is: the birth of a key, or that nobody saw it', () => {
    const steady = account({
      phase: 'steady',
      slots: [
        { slot: 'Key1', state: 'active', since: iso(10) },
        { slot: 'Key2', state: 'spare' },
      ],
    });
    assert.deepEqual(bars(steady, [], 0), [
      ['Key1', 'active 0–10', 'active 10–75 new'],
      ['Key2', 'spare 0–75'],
    ]);
    assert.deepEqual(bars({ ...steady, active: undefined }, [], 0)[1], ['Key2', 'unknown 0–75']);
  });
  it('counts one birth once, although row and history name it a moment apart', () => {
    const late = account({ slots: [{ slot: 'Key1', state: 'active', since: iso(55.5) }] });
    const [lane] = lanesOf(late, ROTATION, T0, T0 + 75 * MINUTE);
    assert.equal(lane?.bars.filter(({ born }) => born).length, 1);
  });
  it('marks births, tries, drift and emergencies at the slot that they are about', () => {
    const more = [
      step({
        at: 73,
        from: 'draining (Key2)',
        to: 'draining (Key2)',
        slot: 'Key2',
        what: 'secret overwritten',
      }),
      step({
        at: 74,
        from: 'draining (Key2)',
        to: 'promoting (Key1)',
        slot: 'Key1',
        what: 'leaked',
        emergency: true,
      }),
      step({
        at: 75,
        from: 'promoting (Key1)',
        to: 'promoting (Key1)',
        slot: 'Key1',
        what: 'vault answers 403',
        emergency: true,
      }),
    ].toReversed();
    const kinds = lanesOf(account(), [...more, ...ROTATION], T0, T0 + 75 * MINUTE).map(({ marks }) =>
      marks.map(({ kind, atMs }) => `${kind} ${(atMs - T0) / MINUTE}`),
    );
    assert.deepEqual(kinds, [
      ['born 55', 'proof 57', 'emergency 74', 'problem 75'],
      ['born -100', 'proof 31', 'drift 73'],
    ]);
  });
  it('tells of a birth how long Azure took to accept the new key and to refuse the old one', () => {
    const [lane] = lanesOf(account(), ROTATION, T0, T0 + 75 * MINUTE);
    assert.equal(
      lane?.marks[0]?.text,
      'Key1: a new key was made, Azure accepted it within 2 s, and refused the old one within 3 s',
    );
  });
  it('knows every drift that the rotation can name', () => {
    const all: Readonly<Record<Exclude<Drift['what'], 'not adopted yet'>, true>> = {
      'secret absent': true,
      'current version disabled': true,
      'key regenerated by hand': true,
      'secret overwritten': true,
      'tags edited': true,
      'slot swapped': true,
      'version added by hand': true,
      'version of our own, whose row was not written': true,
    };
    assert.deepEqual([...DRIFTS].sort(), Object.keys(all).sort());
  });
});

describe('the part of the time that is shown', () => {
  const now = T0 + 75 * MINUTE;
  it('is the rotation while it runs, up to the end of the tokens that still live', () => {
    const { fromMs, toMs } = windowOf(account(), ROTATION, now);
    assert.ok(fromMs < T0 + 30 * MINUTE && fromMs > T0 + 20 * MINUTE, String((fromMs - T0) / MINUTE));
    assert.ok(toMs > T0 + 82 * MINUTE && toMs < T0 + 90 * MINUTE);
  });
  it('is from the birth of the keys until the next rotation is due, when nothing goes on', () => {
    const steady = account({ phase: 'steady' });
    const { fromMs, toMs } = windowOf(steady, ROTATION, now + 120 * MINUTE);
    assert.ok(fromMs < T0 - 100 * MINUTE && toMs > T0 + 1_000 * MINUTE);
  });
  it('puts instants in percent, at the edge where they are outside', () => {
    const span = { fromMs: 0, toMs: 200 };
    assert.deepEqual(
      [-5, 0, 50, 200, 999].map((ms) => percent(span, ms)),
      [0, 0, 25, 100, 100],
    );
    assert.equal(percent({ fromMs: 5, toMs: 5 }, 5), 0);
  });
  it('has few ticks, at whole minutes, hours or days of the reader', () => {
    const DAY = 86_400_000;
    for (const wide of [3 * MINUTE, 50 * MINUTE, 7 * 60 * MINUTE, 3 * DAY, 95 * DAY, 800 * DAY]) {
      const found = ticks({ fromMs: T0, toMs: T0 + wide }, 5);
      assert.ok(found.length >= 1 && found.length <= 6, `${wide}: ${found.length}`);
      assert.ok(found.every((ms) => ms % MINUTE === 0));
    }
    const [first = 0] = ticks({ fromMs: T0, toMs: T0 + 3 * DAY }, 5, 3_600_000);
    assert.equal(new Date(first).toISOString(), '2026-11-27T23:00:00.000Z');
  });
});
