import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readKind, shownEvent, wantedEvents } from '../../src/console/views/events/shown.ts';

const effect = shownEvent({
  kind: 'effect',
  at: '2026-11-27T09:00:00.000Z',
  key: 'user:t:o',
  reason: 'disabled',
  source: 'event grid',
  receivedAt: '2026-11-27T09:00:00.000Z',
  inForceAt: '2026-11-27T09:00:00.041Z',
});
const signal = shownEvent({
  kind: 'signal',
  at: '2026-11-27T08:00:00.000Z',
  transmitter: 'idp',
  types: 'session-revoked',
  outcome: 'revoked',
  content: 'c',
});
const poison = shownEvent({
  kind: 'poison',
  at: '',
  id: '1',
  type: 'Contoso.Odd',
  subject: '/x',
  why: 'data: is missing',
  source: '/s',
});

describe('what came in', () => {
  it('says of each kind what it is about, what came of it and from whom', () => {
    const brief = ({ about, did, from }: typeof effect) => [about, did, from];
    assert.deepEqual(brief(effect), ['user:t:o', 'disabled (in force after 41 ms)', 'event grid']);
    assert.deepEqual(brief(signal), ['session-revoked', 'revoked', 'idp']);
    assert.deepEqual(brief(poison), ['Contoso.Odd /x', 'data: is missing', '/s']);
  });
  it('is found by its kind and by any part of what is kept', () => {
    const all = [effect, signal, poison];
    assert.deepEqual(wantedEvents(all, 'poison'), [poison]);
    assert.deepEqual(wantedEvents(all, undefined, 'ODD'), [poison]);
    assert.deepEqual(wantedEvents(all, 'effect', 'odd'), []);
    assert.deepEqual(wantedEvents(all, undefined), all);
  });
  it('is shown whole for a kind that nobody knows', () => {
    for (const kind of [undefined, '', 'toString', 'other'])
      assert.equal(readKind(kind === undefined ? {} : { kind }), undefined);
  });
});
