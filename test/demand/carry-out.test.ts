import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createCarryOut } from '../../src/demand/carry-out.ts';
import type { Demand } from '../../src/demand/demand.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { createBook, down } from './book.ts';

const START_MS = Date.UTC(2026, 10, 26, 9);
const ID = '0b9d4c6e-1a2f-4d3c-8b7a-5e6f70819203';
const demand: Demand = {
  id: ID,
  resource: 'speech',
  slot: 'Key2',
  emergency: true,
  reason: 'leaked',
  who: 'olga',
  correlationId: 'c0ffee',
  at: new Date(START_MS).toISOString(),
  state: 'waiting',
  why: '',
};
let book: ReturnType<typeof createBook>;
let nowMs: number;
let elapsedMs: number;
/** Each begun retirement; a demand that is asked for again begins none, as the rotation has it. */
let begun: string[];
let asked: unknown[];
let logged: string[];
type Became = 'working' | 'done' | 'superseded' | undefined;
let becameOf: (demand: Demand) => Became;
let answer: () =>
  | { kind: 'begun' | 'notBegun'; why: string; problem?: { code: string; advice: string } }
  | undefined;
beforeEach(async () => {
  book = createBook();
  nowMs = START_MS;
  elapsedMs = 0;
  begun = [];
  asked = [];
  logged = [];
  answer = () => ({ kind: 'begun', why: 'waits for tokens' });
  await book.issuer.insert(demand, 'an account');
});
const rotator = () =>
  createCarryOut({
    store: book.rotator,
    async retireNow({ resource }, request) {
      const found = answer();
      asked.push([resource, request]);
      if (found?.kind === 'begun' && !begun.includes(request.demand)) begun.push(request.demand);
      return found;
    },
    progress: async (demand) => becameOf(demand),
    now: () => nowMs,
    elapsedMs: () => elapsedMs,
    log: (event) => logged.push(event),
  });
const row = () => book.rows.get(ID) ?? assert.fail();
const told = () => rotator().told({ id: ID });

test('a demand is begun with what was asked for and who asked, and its row says what came of it', async () => {
  await told();
  assert.deepEqual(asked, [
    ['speech', { demand: ID, slot: 'Key2', emergency: true, reason: 'leaked (operator olga)' }],
  ]);
  assert.deepEqual([row().state, row().why], ['begun', 'waits for tokens']);
});

test('a message that comes twice, late, in capitals or about nothing begins nothing more', async () => {
  await told();
  await told();
  await rotator().told({ id: ID.toUpperCase() });
  assert.equal(asked.length, 1);
  for (const message of ['text', undefined, { id: 'x' }, { id: '0b9d4c6e-1a2f-4d3c-8b7a-5e6f70819204' }])
    await rotator().told(message);
  assert.equal(asked.length, 1);
  assert.equal(logged.filter((event) => event === 'demand_unknown').length, 4);
});

test('a lost message costs minutes: the timer finds the open demands, and leaves the others', async () => {
  await rotator().open();
  assert.equal(row().state, 'begun');
  await rotator().open();
  assert.equal(asked.length, 1);
});

test('the timer has an end: demands that wait for the next tick, or for their message, do not use up the time of the rotations', async () => {
  for (let n = 0; n < 20; n += 1)
    await book.issuer.insert({ ...demand, id: `0b9d4c6e-1a2f-4d3c-8b7a-5e6f708192${n + 10}` }, 'an account');
  answer = () => {
    elapsedMs += 10_000;
    return { kind: 'begun', why: '' };
  };
  await rotator().open();
  assert.equal(asked.length, 3);
  assert.ok(logged.includes('demands_left'));
  await rotator().open();
  assert.equal(asked.length, 6);
});

test('an emergency waits for no other demand', async () => {
  book.rows.clear();
  const at = (seconds: number) => new Date(START_MS + seconds * 1000).toISOString();
  await book.issuer.insert({ ...demand, emergency: false, at: at(0) }, 'an account');
  await book.issuer.insert(
    { ...demand, id: '0b9d4c6e-1a2f-4d3c-8b7a-5e6f70819204', at: at(1) },
    'an account',
  );
  await rotator().open();
  assert.deepEqual(begun, ['0b9d4c6e-1a2f-4d3c-8b7a-5e6f70819204', ID]);
});

test('of two rotators that take one demand at once, one begins it', async () => {
  await Promise.all([told(), told(), rotator().open()]);
  assert.equal(asked.length, 1);
});

test('what prevents a rotation is in the row: nothing was begun', async () => {
  const problem = { code: 'keys_switched_off', advice: 'switch the keys on' };
  answer = () => ({ kind: 'notBegun', why: 'keys are switched off', problem });
  await told();
  assert.deepEqual([row().state, row().why, row().problem], ['notBegun', 'keys are switched off', problem]);
});

test('a resource whose keys are not rotated here says so', async () => {
  await book.issuer.insert(
    { ...demand, id: '0b9d4c6e-1a2f-4d3c-8b7a-5e6f70819204', emergency: false },
    'an account',
  );
  answer = () => undefined;
  await rotator().open();
  const calm = await book.issuer.find('0b9d4c6e-1a2f-4d3c-8b7a-5e6f70819204');
  assert.deepEqual([calm?.state, calm?.why], ['notBegun', 'the keys of this resource are not rotated']);
});

test('an emergency of a resource that only the issuer’s policy has waits for the rotator’s to have it', async () => {
  answer = () => undefined;
  await told();
  assert.deepEqual([row().state, row().why], ['waiting', 'the keys of this resource are not rotated']);
  answer = () => ({ kind: 'begun', why: 'both keys' });
  await rotator().open();
  assert.equal(row().state, 'begun');
});

test('a demand that was begun is followed until its rotation is over, and says when that was', async () => {
  await told();
  becameOf = () => 'working';
  await rotator().finish();
  assert.deepEqual([row().state, row().endedAt], ['begun', undefined]);
  nowMs += 600_000;
  for (const [progress, state] of [
    ['done', 'done'],
    ['superseded', 'superseded'],
    // The rotation does not know it any more, so nobody may say that the keys are new.
    [undefined, 'failed'],
  ] as const) {
    book.rows.set(ID, { ...row(), state: 'begun' });
    becameOf = () => progress;
    await rotator().finish();
    assert.deepEqual([row().state, row().endedAt], [state, new Date(nowMs).toISOString()]);
  }
});

describe('in an outage', () => {
  test('a begun demand whose rotation cannot be seen keeps no other from its end', async () => {
    const other = { ...demand, id: '0b9d4c6e-1a2f-4d3c-8b7a-5e6f70819204', resource: 'translator' };
    await book.issuer.insert(other, 'an account');
    await rotator().open();
    becameOf = ({ id }) => (id === ID ? down() : 'done');
    await rotator().finish();
    assert.deepEqual(
      [...book.rows.values()].map(({ state }) => state),
      ['begun', 'done'],
    );
    assert.ok(logged.includes('demand_not_followed'));
  });

  test('the demand waits, says why, and the message comes again', async () => {
    answer = down;
    await assert.rejects(told(), UpstreamFailure);
    assert.deepEqual([row().state, row().why], ['waiting', 'tables: is down']);
    answer = () => ({ kind: 'begun', why: '' });
    await told();
    assert.equal(row().state, 'begun');
  });

  test('one demand that cannot be begun does not hold up the others of the timer', async () => {
    const other = { ...demand, id: '0b9d4c6e-1a2f-4d3c-8b7a-5e6f70819204', resource: 'translator' };
    await book.issuer.insert(other, 'an account');
    let calls = 0;
    answer = () => {
      calls += 1;
      return calls === 1 ? down() : { kind: 'begun', why: '' };
    };
    await rotator().open();
    assert.deepEqual([...book.rows.values()].map(({ state }) => state).sort(), ['begun', 'waiting']);
  });

  test('a demand that could not be begun for a day is given up and says so', async () => {
    answer = down;
    await assert.rejects(told(), UpstreamFailure);
    nowMs += 86_400_001;
    answer = () => ({ kind: 'begun', why: '' });
    await rotator().open();
    assert.deepEqual([row().state, begun], ['failed', []]);
    assert.match(row().why, /for a day: tables: is down/);
  });

  test('a bug is no endless loop: the demand failed', async () => {
    answer = () => {
      throw new TypeError('a bug');
    };
    await assert.rejects(told(), TypeError);
    assert.equal(row().state, 'failed');
  });
});

test('whoever dies between any two calls leaves a demand that is begun once, or a row that says why not', async () => {
  class Killed extends Error {}
  for (let dieAt = 1; dieAt <= 4; dieAt += 1) {
    book = createBook();
    await book.issuer.insert(demand, 'an account');
    begun = [];
    nowMs = START_MS;
    let calls = 0;
    const die = (): void => {
      calls += 1;
      if (calls >= dieAt) throw new Killed();
    };
    // A process that was killed writes nothing more.
    book.before = die;
    answer = () => {
      die();
      return { kind: 'begun', why: '' };
    };
    await told().catch((error: unknown) => assert.ok(error instanceof Killed));
    book.before = () => undefined;
    answer = () => ({ kind: 'begun', why: '' });
    await rotator().open();
    nowMs += 120_001;
    await rotator().open();
    assert.deepEqual([row().state, begun], ['begun', [ID]], `killed at call ${dieAt}`);
  }
});
