import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dayOf, readAskedRecords, shownRecord } from '../../src/console/views/record/asked.ts';
import { proved } from '../../src/console/views/record/proved.ts';
import { uuid7 } from '../../src/uuid7.ts';

const NOW = Date.parse('2026-11-27T09:40:30Z');
const spanOf = (params: Record<string, string>) => {
  const { fromMs, toMs } = readAskedRecords(params, NOW);
  return [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
};

describe('which records are asked for', () => {
  it('is the last hour, to the end of the minute that runs, where the address says nothing that can be read', () => {
    const lastHour = ['2026-11-27T08:41:00.000Z', '2026-11-27T09:41:00.000Z'];
    const unreadable = [
      {},
      { from: 'x', to: 'y' },
      { from: '2026-11-27', to: '2026-11-26' },
      { day: 'today' },
      { correlation: 'x' },
    ];
    for (const params of unreadable) assert.deepEqual(spanOf(params), lastHour);
  });
  it('is the span of the column that somebody came from', () => {
    const span = { from: '2026-11-27T08:00:00.000Z', to: '2026-11-27T09:00:00.000Z' };
    assert.deepEqual(spanOf(span), Object.values(span));
  });
  it("is a day of the reader's own zone, one with a changed clock too", () => {
    for (const day of ['2026-11-27', '2026-03-29', '2026-10-25']) {
      const { fromMs, toMs } = readAskedRecords({ day }, NOW);
      assert.equal(dayOf(fromMs), day);
      assert.equal(dayOf(toMs - 1), day);
      assert.notEqual(dayOf(toMs), day);
    }
  });
  it('is around the time that a correlation id has in it', () => {
    const atMs = Date.parse('2026-11-20T00:00:00Z');
    const around = ['2026-11-19T23:59:00.000Z', '2026-11-20T00:01:00.000Z'];
    assert.deepEqual(spanOf({ correlation: uuid7(atMs) }), around);
    assert.deepEqual(spanOf({ correlation: uuid7(atMs).replaceAll('-', '') }), around);
  });
  it('has no caller that is no id, which the broker would refuse', () => {
    const caller = '3f6f2c9e-5d1b-4c7a-9e42-8a1d0b7c5e01';
    assert.equal(readAskedRecords({ caller }, NOW).caller, caller);
    assert.equal(readAskedRecords({ caller: caller.slice(0, -1) }, NOW).caller, undefined);
  });
  it('has no outcome that the broker does not know', () => {
    assert.equal(readAskedRecords({ outcome: 'refused' }, NOW).outcome, 'refused');
    assert.equal(readAskedRecords({ outcome: 'constructor' }, NOW).outcome, undefined);
  });
});

describe('a record as it is shown', () => {
  const about = { at: '2026-11-27T09:00:00.000Z', correlationId: 'c', instance: 'i' };
  it('of an exchange says who, what and why', () => {
    const granted = {
      ...about,
      outcome: 'granted',
      objectId: 'o',
      resource: 'speech',
      tokenKind: 'sts',
      grant: 'g',
    } as const;
    const { who, what, why, count } = shownRecord(granted);
    assert.deepEqual([who, what, why, count], ['o', 'speech (sts)', 'g', 1]);
    const refused = shownRecord({
      ...about,
      outcome: 'refused',
      resource: 'speech',
      reason: 'token_expired',
      count: 9,
    });
    assert.deepEqual(
      [refused.who, refused.what, refused.why, refused.count],
      ['', 'speech', 'token_expired', 9],
    );
  });
  it('of an act says what was done to what', () => {
    const act = {
      ...about,
      outcome: 'failed',
      act: 'rotate',
      target: 'speech',
      problem: 'unreachable',
    } as const;
    assert.equal(shownRecord(act).what, 'rotate speech');
    assert.equal(shownRecord(act).why, 'unreachable');
  });
});

describe('what is proved of a span', () => {
  it('counts closed minutes, their rows and those that came late', () => {
    const digest = '0'.repeat(64);
    const entry = {
      sequence: 1,
      previous: digest,
      at: '2026-11-27T09:04:00Z',
      digest,
      removedBefore: '',
      hash: digest,
    };
    const late = [1, 4].map((rows) => ({ minute: '2026-11-27T08:56', rows, digest }));
    const entries = [
      { ...entry, minute: '2026-11-27T09:00', rows: 3, late: [] },
      { ...entry, minute: '2026-11-27T09:01', rows: 2, late },
    ];
    assert.deepEqual(proved(entries), { minutes: 2, rows: 5, late: 5 });
  });
});
