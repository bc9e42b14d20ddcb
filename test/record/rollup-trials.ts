/**
 * Roll-ups against a full count, over weeks by chance: `node test/record/rollup-trials.ts --weeks 3 --seed 1`.
 * Every cell by the hour and by the day must be the same, every row in one entry, and the chain one chain.
 */
import { readCommandLine } from '../../src/command-line.ts';
import { follow } from '../../src/record/chain.ts';
import { NO_HASH } from '../../src/record/entry.ts';
import { addMinutes } from '../../src/record/minute.ts';
import type { Cursor } from '../../src/record/ports.ts';
import { readList } from '../../src/record/records-of.ts';
import { createChance } from '../simulation/random.ts';
import { differences, fullCount, rolledUp } from './full-count.ts';
import type { Storage } from './storage.ts';
import { liveThrough, type WeekOptions } from './week.ts';

export interface WeekTrial {
  readonly rows: number;
  readonly late: number;
  readonly strikes: number;
  readonly entries: number;
  readonly cells: number;
  readonly differ: readonly string[];
  /** Rows that are in no entry or in several. */
  readonly misplaced: number;
  readonly isOneChain: boolean;
}

export async function weekTrial(seed: number, options: WeekOptions): Promise<WeekTrial> {
  const { storage, written, strikes } = await liveThrough(createChance(seed), options);
  const counted = rolledUp(storage);
  const lists = storage.lists.all();
  const placed = new Map<string, number>();
  for (const { text } of lists)
    for (const { key } of readList(text)) placed.set(key, (placed.get(key) ?? 0) + 1);
  const { entries, late, isOne } = walk(storage);
  return {
    rows: written.length,
    late,
    strikes,
    entries,
    cells: counted.size,
    differ: differences(fullCount(written), counted),
    misplaced: written.filter(({ key }) => placed.get(key) !== 1).length,
    isOneChain: isOne,
  };
}

/** The whole chain from its first line, as anybody would follow it. */
function walk({ blobs, cursor }: Storage): { entries: number; late: number; isOne: boolean } {
  const days = [...blobs.keys()].sort();
  const first = JSON.parse(blobs.get(days[0] ?? '')?.split('\n')[0] ?? '{}').minute;
  let last: Cursor = {
    sequence: 0,
    hash: NO_HASH,
    minute: addMinutes(first, -1),
    position: 0,
    removedBefore: '',
  };
  let foreign = 0;
  let late = 0;
  for (const day of days) {
    const followed = follow(blobs.get(day) ?? '', last);
    foreign += followed.foreign;
    for (const { entry } of followed.links) for (const { rows } of entry.late) late += rows;
    last = followed.end;
  }
  return { entries: last.sequence, late, isOne: foreign === 0 && last.hash === cursor?.value.hash };
}

if (import.meta.main) {
  const { values } = readCommandLine(
    `node test/record/rollup-trials.ts [--weeks N] [--seed N]

  --weeks N  how many weeks (default 3)
  --seed N   of the first one (default 1)`,
    { options: { weeks: { type: 'string', default: '3' }, seed: { type: 'string', default: '1' } } },
  );
  const begun = performance.now();
  const trials: WeekTrial[] = [];
  for (let week = 0; week < Number(values.weeks); week += 1)
    trials.push(await weekTrial(Number(values.seed) + week, { days: 7, rowsAnHour: 60, strike: 0.02 }));
  console.table(trials.map(({ differ, ...trial }) => ({ ...trial, differ: differ.length })));
  console.log(JSON.stringify({ seed: Number(values.seed), seconds: (performance.now() - begun) / 1000 }));
  const isWrong = ({ differ, misplaced, isOneChain }: WeekTrial) =>
    differ.length > 0 || misplaced > 0 || !isOneChain;
  if (trials.some(isWrong)) process.exitCode = 1;
}
