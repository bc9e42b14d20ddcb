import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { coalesce } from '../src/coalesce.ts';

const turns = async (count: number): Promise<void> => {
  for (let left = count; left > 0; left -= 1) await turn();
};

test('callers of one moment share one run, and each item is in exactly one', async () => {
  const runs: (readonly number[])[] = [];
  const shared = coalesce<number, number>(async (items) => {
    runs.push([...items]);
    return items.length;
  });
  assert.deepEqual(await Promise.all([shared(1), shared(2), shared(3)]), [3, 3, 3]);
  assert.deepEqual(runs, [[1, 2, 3]]);
});

test('a run that began before a caller arrived never serves that caller', async () => {
  const waiting: PromiseWithResolvers<string>[] = [];
  const shared = coalesce<undefined, string>(() => {
    const run = Promise.withResolvers<string>();
    waiting.push(run);
    return run.promise;
  });
  const early = shared(undefined);
  await turns(2);
  const late = shared(undefined);
  await turns(2);
  assert.equal(waiting.length, 1, 'one at a time');
  waiting[0]?.resolve('before');
  assert.equal(await early, 'before');
  await turns(2);
  waiting[1]?.resolve('after');
  assert.equal(await late, 'after');
});

test('no more runs at once than allowed, and no more items in one than allowed', async () => {
  let under = 0;
  let most = 0;
  const sizes: number[] = [];
  const shared = coalesce<number, void>(
    async (items) => {
      sizes.push(items.length);
      under += 1;
      most = Math.max(most, under);
      await turns(3);
      under -= 1;
    },
    { parallel: 2, most: 10 },
  );
  await Promise.all(Array.from({ length: 45 }, (_, index) => shared(index)));
  assert.equal(most, 2);
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    45,
  );
  assert.ok(Math.max(...sizes) <= 10);
});

test('beside a run that takes long the next one begins after a while, and no sooner', async () => {
  const apartMs = 20;
  const begunAtMs: number[] = [];
  const runs: PromiseWithResolvers<string>[] = [];
  const shared = coalesce<undefined, string>(
    () => {
      begunAtMs.push(performance.now());
      const run = Promise.withResolvers<string>();
      runs.push(run);
      return run.promise;
    },
    { parallel: 2, apartMs },
  );
  const first = shared(undefined);
  await turns(2);
  const second = shared(undefined);
  while (runs.length < 2) await sleep(1);
  const [one = 0, two = 0] = begunAtMs;
  // A timer of Node counts whole milliseconds.
  assert.ok(two - one >= apartMs - 1, `after ${two - one} ms`);
  const third = shared(undefined);
  await sleep(2 * apartMs);
  assert.equal(runs.length, 2, 'no more at once than allowed');
  runs[1]?.resolve('second');
  assert.equal(await second, 'second', 'they may end in any order');
  await turns(2);
  runs[0]?.resolve('first');
  assert.equal(await first, 'first');
  while (runs.length < 3) await sleep(1);
  runs[2]?.resolve('third');
  assert.equal(await third, 'third');
});

test('a run that ends soon is followed at once, however far apart they may be', async () => {
  const shared = coalesce<number, number>(async ([item = 0]) => item, { parallel: 8, apartMs: 500 });
  for (const item of [1, 2, 3]) assert.equal(await shared(item), item);
});

test('a failed run fails those who waited for it and nobody after, also when it fails at once', async () => {
  let runs = 0;
  const shared = coalesce<number, number>((items) => {
    runs += 1;
    if (items.includes(0)) throw new Error('at once');
    return Promise.resolve(items.length);
  });
  const failed = await Promise.allSettled([shared(0), shared(1)]);
  assert.deepEqual(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await shared(2), 1);
  assert.equal(runs, 2);
});

test('in any order of arrivals and endings, whoever is served is served by a run that began later', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('ask', 'ask', 'end', 'endNewest', 'turn', 'turn', 'pause'), { maxLength: 40 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(0, 1),
      async (steps, parallel, apartMs) => {
        let moment = 0;
        const open: { beganAt: number; done: PromiseWithResolvers<number> }[] = [];
        const shared = coalesce<undefined, number>(
          () => {
            const run = { beganAt: ++moment, done: Promise.withResolvers<number>() };
            open.push(run);
            return run.done.promise;
          },
          { parallel, apartMs },
        );
        const served: Promise<void>[] = [];
        const end = (run = open.shift()) => {
          run?.done.resolve(run.beganAt);
        };
        for (const step of steps) {
          if (step === 'end') end();
          else if (step === 'endNewest') end(open.pop());
          else if (step === 'pause') await sleep(2);
          else if (step === 'turn') await turn();
          else {
            const askedAt = ++moment;
            served.push(shared(undefined).then((beganAt) => assert.ok(beganAt > askedAt)));
          }
        }
        const all = Promise.all(served);
        let settled = false;
        all.finally(() => {
          settled = true;
        });
        for (let round = 0; round < 200 && !settled; round += 1) {
          end();
          await turn();
        }
        await all;
      },
    ),
    { numRuns: 100 },
  );
});
