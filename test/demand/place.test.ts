import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createPlace, type Wish } from '../../src/demand/place.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { createBook, down } from './book.ts';

const ID = '0b9d4c6e-1a2f-4d3c-8b7a-5e6f70819203';
const wish: Wish = {
  id: ID,
  at: '2026-11-26T09:00:00.000Z',
  resource: 'speech',
  account: 'account-of-speech',
  emergency: false,
  reason: 'by hand',
  who: 'olga',
  correlationId: 'c0ffee',
};
let book: ReturnType<typeof createBook>;
let done: string[];
let freshnessMs: number;
let queueIsDown: boolean;
let markIsDown: boolean;
let logged: string[];
beforeEach(() => {
  book = createBook();
  book.before = (call) => done.push(call);
  done = [];
  logged = [];
  queueIsDown = markIsDown = false;
  freshnessMs = 0;
});
const place = (asked: Wish) =>
  createPlace({
    book: book.issuer,
    mark: {
      async mark(account, slot, demand) {
        if (markIsDown) down();
        if (account === 'not moved yet') return 'unmarked';
        done.push(`mark ${account} ${slot ?? 'active'} ${demand}`);
        return { slot: slot ?? 'Key1' };
      },
    },
    queue: {
      async put(text, deadlineMs) {
        if (queueIsDown) throw new UpstreamFailure('queues', 'is down');
        done.push(`put ${text} ${deadlineMs}`);
      },
    },
    freshnessMs,
    sleep: async (ms) => void done.push(`sleep ${ms}`),
    log: (event, fields) => logged.push(`${event}${fields?.['marked'] === false ? ' unmarked' : ''}`),
  })(asked);

test('a demand is a row before it is a message, and the message has nothing but its id', async () => {
  const demand = await place({ ...wish, slot: 'Key2' });
  assert.deepEqual(done, ['insert', `put {"id":"${ID}"} 1000`]);
  const { etag: _, takenAtMs, account, ...row } = book.rows.get(ID) ?? assert.fail();
  assert.deepEqual(row, demand);
  const { account: wanted, ...asked } = wish;
  assert.equal(account, wanted);
  assert.deepEqual(row, {
    ...asked,
    slot: 'Key2',
    state: 'waiting',
    why: '',
  });
  assert.equal(takenAtMs, 0);
});

test('in an emergency the key is marked after the row and before the message: it ends before the rotator wakes', async () => {
  await place({ ...wish, emergency: true });
  assert.deepEqual(
    done.map((one) => one.split(' ')[0]),
    ['insert', 'mark', 'put'],
  );
  assert.equal(done[1], `mark account-of-speech active ${ID}`);
});

test('it is answered when no instance rests on a look at the head that is older than the mark', async () => {
  freshnessMs = 30_000;
  await place({ ...wish, emergency: true });
  assert.equal(done.at(-1), 'sleep 30000');
  done = [];
  await place(wish);
  assert.equal(done.length, 2);
});

test('the log says where an emergency has no mark, because no rotator works on the account yet', async () => {
  await place({ ...wish, emergency: true, account: 'not moved yet' });
  assert.deepEqual(logged, ['demand unmarked']);
});

test('a queue that is down loses no demand and no answer: the row is there, and the log says so', async () => {
  queueIsDown = true;
  await place({ ...wish, emergency: true });
  assert.equal(book.rows.get(ID)?.state, 'waiting');
  assert.ok(logged.includes('demand_not_announced'));
});

test('without the row nothing is marked and nothing is announced', async () => {
  book.before = down;
  await assert.rejects(place({ ...wish, emergency: true }), UpstreamFailure);
  assert.deepEqual(done, []);
});

test('an emergency whose mark could not be set is not answered, but its demand is there, and the rotator is told at once', async () => {
  markIsDown = true;
  await assert.rejects(place({ ...wish, emergency: true }), UpstreamFailure);
  assert.deepEqual(done, ['insert', `put {"id":"${ID}"} 1000`]);
});
