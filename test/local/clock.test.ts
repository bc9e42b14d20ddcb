import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { createClock, installVirtualDate, nextState, wallNow } from '../../src/local/clock.ts';

const RealDate = Date;
afterEach(() => {
  globalThis.Date = RealDate;
  RealDate.prototype.constructor = RealDate;
});
const signal = new AbortController().signal;

describe('virtual time', () => {
  it('is the clock on the wall where nobody changed it', () => {
    const clock = createClock();
    const before = wallNow();
    const now = clock.now();
    assert.ok(before <= now && now <= wallNow());
  });
  it('runs as many times as fast as it is told', () => {
    const wallMs = wallNow() - 10_000;
    const clock = createClock({ wallMs, virtualMs: 0, speed: 60 });
    assert.ok(clock.now() >= 600_000 && clock.now() < 700_000);
  });
  it('goes on from where it is when its speed changes or it jumps, in any order', () => {
    const change = fc.record(
      { advanceMs: fc.nat(86_400_000), speed: fc.integer({ min: 1, max: 1000 }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(100_000), change)), (changes) => {
        let wallMs = 1_000;
        let state = { wallMs, virtualMs: 5_000, speed: 1 };
        let expected = 5_000;
        for (const [laterMs, by] of changes) {
          wallMs += laterMs;
          expected += laterMs * state.speed + (by.advanceMs ?? 0);
          state = nextState(state, by, wallMs);
          assert.equal(state.virtualMs, expected);
        }
      }),
    );
  });
  it('changes at the instant that the new state names, and not when it is told', async () => {
    const clock = createClock();
    const from = wallNow() + 40;
    clock.apply(nextState(clock.state(), { advanceMs: 3_600_000 }, from));
    // One pair of reads may straddle the instant; then both are past it.
    const early = clock.now();
    if (wallNow() < from) assert.ok(early <= from);
    while (wallNow() < from) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(clock.now() >= from + 3_600_000);
  });
});

describe('a sleeper', () => {
  it('wakes when time jumps past its hour, not before', async () => {
    const clock = createClock();
    let awake = false;
    const slept = clock.sleepUntil(clock.now() + 3_600_000, signal).then(() => {
      awake = true;
    });
    clock.apply(nextState(clock.state(), { advanceMs: 1_800_000 }, wallNow()));
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(awake, false);
    clock.apply(nextState(clock.state(), { advanceMs: 1_800_000 }, wallNow()));
    await slept;
  });
  it('is never missed by a jump, though a timeout can fire before its millisecond', async () => {
    const stop = new AbortController();
    const jumps = Array.from({ length: 300 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, i));
      const clock = createClock();
      const slept = clock.sleepUntil(clock.now() + 3_600_000, stop.signal);
      clock.apply(nextState(clock.state(), { advanceMs: 3_600_000 }, wallNow() + 25));
      await slept;
    });
    const giveUp = new Promise((_, reject) => setTimeout(reject, 5000, new Error('still asleep')).unref());
    await Promise.race([Promise.all(jumps), giveUp]).finally(() => stop.abort());
  });
  it('wakes sooner when time runs faster', async () => {
    const clock = createClock();
    const slept = clock.sleepUntil(clock.now() + 3_600_000, signal);
    clock.apply(nextState(clock.state(), { speed: 100_000 }, wallNow()));
    await slept;
    assert.ok(clock.now() - wallNow() > 3_000_000);
  });
  it('waits longer than a timeout can', async () => {
    const clock = createClock();
    const stop = new AbortController();
    let awake = false;
    const slept = clock.sleepUntil(clock.now() + 90 * 86_400_000, stop.signal).then(() => {
      awake = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(awake, false);
    stop.abort();
    await slept;
  });
  it('is not put to sleep by a past hour or an aborted signal', async () => {
    const clock = createClock();
    await clock.sleepUntil(clock.now() - 1, signal);
    await clock.sleepUntil(clock.now() + 3_600_000, AbortSignal.abort());
  });
});

describe('Date, made virtual', () => {
  const virtualMs = RealDate.UTC(2031, 4, 6);
  const install = () => installVirtualDate(createClock({ wallMs: wallNow(), virtualMs, speed: 1 }));
  const near = (ms: number) => assert.ok(ms >= virtualMs && ms < virtualMs + 5_000, String(ms));

  it('tells virtual time in every form', () => {
    install();
    near(Date.now());
    assert.match(Date(), /2031/);
  });
  it('is still a Date in all else', () => {
    const before = new RealDate(0);
    install();
    assert.equal(new Date(0).toISOString(), '1970-01-01T00:00:00.000Z');
    assert.equal(new Date(2020, 1, 2).getMonth(), 1);
    assert.equal(Date.UTC(1970, 0, 2), 86_400_000);
    assert.equal(Date.parse('1970-01-02T00:00:00Z'), 86_400_000);
    assert.equal(Number.isNaN(new Date(Number.NaN).getTime()), true);
    assert.ok(before instanceof Date);
    assert.ok(new Date() instanceof RealDate);
    assert.equal(new Date().constructor, Date);
    assert.equal(Date.name, 'Date');
    assert.equal(Date.length, 7);
    class Day extends Date {
      readonly isDay = true;
    }
    assert.ok(new Day() instanceof Day && new Day().isDay);
    near(new Day().getTime());
    near(structuredClone(new Date()).getTime());
  });
  it('leaves performance.now and timeouts to the clock on the wall', async () => {
    installVirtualDate(createClock({ wallMs: wallNow(), virtualMs: 0, speed: 100_000 }));
    const startedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(performance.now() - startedAt >= 15);
    assert.ok(Date.now() > 1_000_000);
  });
});
