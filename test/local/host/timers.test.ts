import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createClock, nextState, type VirtualClock } from '../../../src/local/clock.ts';
import { dotnetTime } from '../../../src/local/host/timers.ts';
import { seen } from './app/seen.ts';
import { startTestHost } from './running.ts';

type Host = Awaited<ReturnType<typeof startTestHost>>;

const startMs = Date.parse('2026-11-22T05:51:10Z');
let clock: VirtualClock;
let folder: string;
let host: Host | undefined;

beforeEach(() => {
  seen.timers = [];
  clock = createClock({ wallMs: Date.now(), virtualMs: startMs, speed: 1 });
  folder = mkdtempSync(join(tmpdir(), 'host-timers-'));
  process.env['TEST_SCHEDULE'] = '0 0 12 * * *';
});
afterEach(async () => {
  for (const go of seen.waiting.splice(0)) go();
  await host?.close();
  host = undefined;
  rmSync(folder, { recursive: true });
});

const start = async (timers = true) => {
  host = await startTestHost({
    timers,
    now: clock.now,
    sleepUntil: clock.sleepUntil,
    timerState: join(folder, 'timers.json'),
  });
};
/** Lets what is due run; at speed 1 nothing else is due within a test. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 30));
const jumpTo = async (time: string) => {
  const advanceMs = Date.parse(`2026-11-${time}Z`) - clock.now();
  clock.apply(nextState(clock.state(), { advanceMs }, Date.now()));
  await settle();
};
interface Argument {
  readonly schedule: { readonly adjustForDST: boolean };
  readonly scheduleStatus: {
    readonly last: string;
    readonly next: string;
    readonly lastUpdated: string;
  } | null;
  readonly isPastDue: boolean;
}
const runs = (name: string) =>
  seen.timers.filter((each) => each.name === name).map(({ timer }) => timer as Argument);

describe('a timer', () => {
  it('runs at its occurrence and not before, with the schedule as its argument', async () => {
    await start();
    await jumpTo('22T05:54:30');
    assert.equal(runs('five-minutes').length, 0);
    await jumpTo('22T05:55:00');
    const [first] = runs('five-minutes');
    assert.deepEqual(first?.schedule, { adjustForDST: true });
    assert.equal(first?.isPastDue, false);
    assert.equal(first?.scheduleStatus?.last, '0001-01-01T00:00:00+00:00');
    assert.equal(first?.scheduleStatus?.next, '2026-11-22T05:55:00+00:00');
    await jumpTo('22T06:00:01');
    const second = runs('five-minutes')[1];
    assert.match(second?.scheduleStatus?.last ?? '', /^2026-11-22T05:55:00(\.\d+)?\+00:00$/);
    assert.equal(second?.scheduleStatus?.next, '2026-11-22T06:00:00+00:00');
  });
  it('takes five fields, a time span and the name of a setting', async () => {
    await start();
    await jumpTo('22T05:51:27');
    assert.equal(runs('span').length, 1);
    await jumpTo('22T06:00:00');
    assert.equal(runs('five-fields').length, 1);
    await jumpTo('22T12:00:00');
    assert.equal(runs('by-setting').length, 1);
  });
  it('is alone in error where its expression is wrong', async () => {
    await start();
    assert.ok(host?.lines.some((line) => line.includes("'wrong' function is in error")));
    assert.ok(host?.functions.some(({ name }) => name === 'five-minutes'));
    assert.ok(!host?.functions.some(({ name }) => name === 'wrong'));
  });
  it('has no status under a minute or without a monitor', async () => {
    await start();
    await jumpTo('22T06:00:00');
    assert.equal(runs('span')[0]?.scheduleStatus, null);
    assert.equal(runs('unmonitored')[0]?.scheduleStatus, null);
  });
  it('runs once for the occurrences that a jump of the clock went over', async () => {
    await start();
    await jumpTo('22T07:02:00');
    assert.equal(runs('five-minutes').length, 1);
    await jumpTo('22T07:05:00');
    assert.equal(runs('five-minutes').length, 2);
  });
  it('never overlaps itself', async () => {
    await start();
    await jumpTo('22T05:54:00');
    await jumpTo('22T05:57:00');
    await jumpTo('22T06:00:00');
    assert.equal(runs('slow').length, 1);
    for (const go of seen.waiting.splice(0)) go();
    await settle();
    await jumpTo('22T06:03:00');
    assert.equal(runs('slow').length, 2);
  });
  it('that failed comes again at its next occurrence, not before', async () => {
    await start();
    await jumpTo('22T05:56:00');
    assert.equal(runs('fails').length, 1);
    assert.ok(host?.lines.some((line) => line.includes('the tick failed')));
    await jumpTo('22T06:00:00');
    assert.equal(runs('fails')[1]?.scheduleStatus?.next, '2026-11-22T06:00:00+00:00');
  });
  it('runs at the start where it says so, and is not past due', async () => {
    await start();
    await settle();
    assert.deepEqual(
      runs('at-start').map(({ isPastDue }) => isPastDue),
      [false],
    );
  });
  it('does not run where another instance has the timers', async () => {
    await start(false);
    await jumpTo('22T06:10:00');
    assert.deepEqual(seen.timers, []);
  });
  it('logs each run and why', async () => {
    await start();
    await jumpTo('22T05:55:00');
    assert.ok(
      host?.lines.some((line) => /^Executing 'Functions.five-minutes' \(Reason='Timer fired at /.test(line)),
    );
    assert.ok(host?.lines.some((line) => /^Executed 'Functions.five-minutes' \(Succeeded, /.test(line)));
  });
});

describe('after downtime', () => {
  it('a missed run comes once, past due', async () => {
    await start();
    await host?.close();
    await jumpTo('22T06:31:00');
    await start();
    await settle();
    const [missed, ...more] = runs('five-minutes');
    assert.equal(missed?.isPastDue, true);
    assert.equal(missed?.scheduleStatus?.next, '2026-11-22T05:55:00+00:00');
    assert.deepEqual(more, []);
    await jumpTo('22T06:35:00');
    assert.equal(runs('five-minutes')[1]?.isPastDue, false);
  });
  it('nothing is past due where nothing was missed, or where the schedule is another', async () => {
    await start();
    await host?.close();
    await jumpTo('22T05:53:00');
    await start();
    await host?.close();
    assert.equal(runs('five-minutes').length, 0);
    process.env['TEST_SCHEDULE'] = '0 30 4 * * *';
    await jumpTo('24T13:00:00');
    await start();
    await settle();
    assert.equal(runs('by-setting').length, 0);
  });
  it('the statuses are a whole file, one member a monitored timer', async () => {
    await start();
    await jumpTo('22T05:55:00');
    const statuses = JSON.parse(readFileSync(join(folder, 'timers.json'), 'utf8'));
    assert.equal(statuses['five-minutes'].next, Date.parse('2026-11-22T06:00:00Z'));
    assert.equal(statuses.span, undefined);
  });
});

it('a time is written as .NET does', () => {
  assert.equal(dotnetTime(Date.parse('2026-11-22T05:54:00.003Z')), '2026-11-22T05:54:00.003+00:00');
  assert.equal(dotnetTime(Date.parse('2026-11-22T05:54:00.120Z')), '2026-11-22T05:54:00.12+00:00');
  assert.equal(dotnetTime(Date.parse('2026-11-22T05:50:00Z')), '2026-11-22T05:50:00+00:00');
});
