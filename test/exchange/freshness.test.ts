import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { OVERLAPPING } from '../../src/coalesce.ts';
import { createFreshness } from '../../src/exchange/freshness.ts';
import { compileVersion } from '../../src/policy/version.ts';
import type { SharedState, Snapshot } from '../../src/ports.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { samplePolicy } from '../policy/sample.ts';
import { NOW_MS } from './caller.ts';

const rules = compileVersion(JSON.stringify(samplePolicy()));
const snapshot = (version: string): Snapshot => ({
  version,
  revocations: new Map(),
  slots: new Map(),
  policy: undefined,
});

function world(freshnessMs: number) {
  const state = { nowMs: NOW_MS, head: 0, versions: 0, loads: 0, isDown: false };
  const shared: SharedState = {
    version: async () => {
      state.versions += 1;
      if (state.isDown) throw new UpstreamFailure('tables', 'is down');
      return String(state.head);
    },
    load: async () => {
      state.loads += 1;
      return snapshot(String(state.head));
    },
  };
  return {
    state,
    freshness: createFreshness(
      shared,
      async () => rules,
      () => state.nowMs,
      freshnessMs,
    ),
  };
}

test('what stands behind the head is read once, and again only when the head moved', async () => {
  const { state, freshness } = world(0);
  for (let left = 5; left > 0; left -= 1) await freshness.fresh();
  assert.deepEqual([state.versions, state.loads], [5, 1]);
  state.head += 1;
  assert.equal((await freshness.fresh()).version, '1');
  assert.equal(state.loads, 2);
});

test('all that wait at one moment share one read', async () => {
  const { state, freshness } = world(0);
  await Promise.all(Array.from({ length: 100 }, () => freshness.fresh()));
  assert.equal(state.versions, 1);
});

test('within the bound nothing is read; past it, everything is looked at again', async () => {
  const { state, freshness } = world(5_000);
  await freshness.fresh();
  state.head += 1;
  state.nowMs += 4_999;
  assert.equal((await freshness.fresh()).version, '0');
  assert.equal(state.versions, 1);
  state.nowMs += 1;
  assert.equal((await freshness.fresh()).version, '1');
});

test('the bound counts from when the read began, however long it took', async () => {
  let nowMs = NOW_MS;
  let versions = 0;
  const freshness = createFreshness(
    {
      version: async () => {
        versions += 1;
        nowMs += 4_000;
        return 'same';
      },
      load: async () => snapshot('same'),
    },
    async () => rules,
    () => nowMs,
    5_000,
  );
  await freshness.fresh();
  nowMs += 999;
  await freshness.fresh();
  assert.equal(versions, 1);
  nowMs += 1;
  await freshness.fresh();
  assert.equal(versions, 2);
});

test('whoever needs to know now is told of a read that begins now, whatever the bound', async () => {
  const { state, freshness } = world(30_000);
  await freshness.fresh();
  state.head += 1;
  assert.equal((await freshness.now()).version, '1');
  assert.equal(freshness.known()?.version, '1');
});

/** One exchange a millisecond for ten seconds, and reads of the head that take ten milliseconds. */
async function readsOfTenSeconds(freshnessMs: number): Promise<number> {
  let [nowMs, reads] = [NOW_MS, 0];
  const underWay: { readonly untilMs: number; readonly end: (version: string) => void }[] = [];
  const freshness = createFreshness(
    {
      version: () => {
        reads += 1;
        return new Promise((end) => underWay.push({ untilMs: nowMs + 10, end }));
      },
      load: async () => snapshot('same'),
    },
    async () => rules,
    () => nowMs,
    freshnessMs,
  );
  const asked: Promise<unknown>[] = [];
  for (let left = 10_000; left > 0; left -= 1) {
    nowMs += 1;
    while ((underWay[0]?.untilMs ?? nowMs + 1) <= nowMs) underWay.shift()?.end('same');
    asked.push(freshness.fresh());
    await turn();
  }
  let isOver = false;
  const all = Promise.all(asked).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    for (const { end } of underWay.splice(0)) end('same');
    await turn();
  }
  await all;
  return reads;
}

test('a busy instance shares its reads of the head, and with a bound of a second makes two a second at most', async () => {
  assert.ok((await readsOfTenSeconds(0)) < 5_000);
  // A read for those who were waiting, and one for those who came meanwhile. So of the 2,000 reads a second that a
  // partition serves, 1,000 instances have enough, as the README says.
  assert.ok((await readsOfTenSeconds(1_000)) <= 20);
});

test('a clock set back does not stretch the bound', async () => {
  const { state, freshness } = world(5_000);
  await freshness.fresh();
  state.head += 1;
  state.nowMs -= 3_600_000;
  assert.equal((await freshness.fresh()).version, '1');
});

test('a change whose writer died before the bump is picked up within a minute', async () => {
  const { state, freshness } = world(0);
  await freshness.fresh();
  state.nowMs += 59_999;
  await freshness.fresh();
  assert.equal(state.loads, 1);
  state.nowMs += 1;
  await freshness.fresh();
  assert.equal(state.loads, 2);
});

test('an outage is thrown to everyone who asks during it, and forgotten after it', async () => {
  const { state, freshness } = world(0);
  await freshness.fresh();
  state.isDown = true;
  await assert.rejects(freshness.fresh(), UpstreamFailure);
  assert.equal(freshness.known()?.version, '0', 'good for a guess still');
  state.isDown = false;
  assert.equal((await freshness.fresh()).version, '0');
});

test('with a bound, an outage shows when the bound is past, not later', async () => {
  const { state, freshness } = world(5_000);
  await freshness.fresh();
  state.isDown = true;
  state.nowMs += 4_999;
  await freshness.fresh();
  state.nowMs += 1;
  await assert.rejects(freshness.fresh(), UpstreamFailure);
});

test('looks overlap where the store is slow, and share one load; a late answer of an earlier look changes nothing back', async () => {
  const answers: PromiseWithResolvers<string>[] = [];
  let loads = 0;
  let head = 'old';
  const freshness = createFreshness(
    {
      version: () => {
        const answer = Promise.withResolvers<string>();
        answers.push(answer);
        return answer.promise;
      },
      load: async () => {
        loads += 1;
        return snapshot(head);
      },
    },
    async () => rules,
    () => NOW_MS,
    0,
  );
  const asked: Promise<{ version: string }>[] = [];
  asked.push(freshness.fresh());
  while (answers.length < 1) await sleep(1);
  answers[0]?.resolve('old');
  assert.equal((await asked[0])?.version, 'old');
  for (let look = 2; look <= 3; look += 1) {
    asked.push(freshness.fresh());
    while (answers.length < look) await sleep(1);
  }
  head = 'new';
  answers[2]?.resolve('new');
  assert.equal((await asked[2])?.version, 'new');
  assert.equal(loads, 2, 'one for each version');
  answers[1]?.resolve('old');
  assert.equal((await asked[1])?.version, 'new', 'what an earlier look saw is not taken back');
  assert.equal(freshness.known()?.version, 'new');
});

test('in any interleaving, whoever asks after a bump is told of it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.constantFrom('bump', 'ask', 'ask', 'turn', 'overlap'), { minLength: 1, maxLength: 30 }),
      async (s, steps) => {
        let head = 0;
        const freshness = createFreshness(
          {
            version: async () => {
              const seen = head;
              await s.schedule(Promise.resolve());
              return String(seen);
            },
            load: async () => {
              const seen = head;
              await s.schedule(Promise.resolve());
              return snapshot(String(seen));
            },
          },
          async () => rules,
          () => NOW_MS,
          0,
        );
        const asked: Promise<void>[] = [];
        for (const step of steps) {
          if (step === 'bump') head += 1;
          else if (step === 'overlap') await sleep(OVERLAPPING.apartMs);
          else if (step === 'turn') {
            await turn();
            if (s.count() > 0) await s.waitOne();
          } else {
            const least = head;
            asked.push(freshness.fresh().then(({ version }) => assert.ok(Number(version) >= least)));
          }
        }
        const all = Promise.all(asked);
        let isDone = false;
        all.finally(() => {
          isDone = true;
        });
        while (!isDone) {
          await turn();
          if (s.count() > 0) await s.waitOne();
        }
        await all;
      },
    ),
    { numRuns: 150 },
  );
});
