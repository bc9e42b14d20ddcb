/**
 * Tamperings by chance, each to be found and named, and untouched records in which nothing may be found:
 * `node test/record/tamper-trials.ts --runs 1000 --seed 1`. Every record was closed by two closers who died, failed or
 * heard no answer at any step, and has rows that came late.
 */
import { isDeepStrictEqual } from 'node:util';
import { readCommandLine } from '../../src/command-line.ts';
import { gather } from '../../src/record/export.ts';
import { type Finding, verify } from '../../src/record/verify.ts';
import { createChance } from '../simulation/random.ts';
import { portsTo, Storage } from './storage.ts';
import { TAMPERINGS } from './tamper.ts';
import { liveThrough } from './week.ts';

export interface TamperTrials {
  readonly runs: number;
  /** By tampering: how many, and how many of them were named as they must be, with nothing else. */
  readonly tamperings: Readonly<Record<string, { runs: number; found: number; named: number }>>;
  readonly untouched: number;
  readonly falseAlarms: number;
  readonly lateRows: number;
  readonly strikes: number;
  readonly wrong: readonly { readonly what: string; readonly expected: unknown; readonly found: unknown }[];
}
/** So many tamperings are tried on a record, each on its own copy. */
const TRIED_ON_EACH = 10;

export async function tamperTrials(runs: number, seed: number): Promise<TamperTrials> {
  const tamperings: Record<string, { runs: number; found: number; named: number }> = {};
  const wrong: { what: string; expected: unknown; found: unknown }[] = [];
  const names = Object.keys(TAMPERINGS);
  let [untouched, falseAlarms, lateRows, strikes, tried] = [0, 0, 0, 0, 0];
  for (let run = 0; untouched < runs || tried < runs; run += 1) {
    const chance = createChance(seed + run);
    const lived = await liveThrough(chance, { days: 0.15, rowsAnHour: 40, strike: 0.05 });
    const span = { first: '2026-11-20T06:00', last: '2026-11-20T12:00' };
    const check = async (storage: Storage) => verify(await gather(portsTo(storage), span.first, span.last));
    strikes += lived.strikes;
    const clean = await check(lived.storage);
    untouched += 1;
    lateRows += clean.late.length;
    if (clean.findings.length > 0 || clean.rows !== lived.written.length || clean.unproved > 0) {
      falseAlarms += 1;
      wrong.push({ what: `untouched ${seed + run}`, expected: [], found: clean.findings });
    }
    for (let each = 0; each < TRIED_ON_EACH && tried < runs; each += 1, tried += 1) {
      const what = names[tried % names.length] ?? '';
      const storage = copyOf(lived.storage);
      const expected = TAMPERINGS[what]?.(storage, chance) ?? [];
      const { findings } = await check(storage);
      const isNamed = isDeepStrictEqual(sorted(findings), sorted(expected));
      const sum = tamperings[what] ?? { runs: 0, found: 0, named: 0 };
      sum.runs += 1;
      if (findings.length > 0) sum.found += 1;
      if (isNamed) sum.named += 1;
      else wrong.push({ what: `${what} ${seed + run}`, expected, found: findings });
      tamperings[what] = sum;
    }
  }
  return { runs, tamperings, untouched, falseAlarms, lateRows, strikes, wrong };
}
const sorted = (findings: readonly Finding[]) => findings.map((finding) => JSON.stringify(finding)).sort();

export function copyOf(storage: Storage): Storage {
  const copy = new Storage();
  for (const row of storage.rows.all()) copy.insert(row);
  for (const list of storage.lists.all())
    copy.lists.set(list.minute, String(list.sequence).padStart(12, '0'), list);
  for (const [day, text] of storage.blobs) copy.blobs.set(day, text);
  copy.cursor = storage.cursor;
  return copy;
}

if (import.meta.main) {
  const { values } = readCommandLine(
    `node test/record/tamper-trials.ts [--runs N] [--seed N]

  --runs N  how many tamperings, and how many untouched records (default 1000)
  --seed N  of the first record (default 1)`,
    { options: { runs: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } } },
  );
  const begun = performance.now();
  const { tamperings, wrong, ...report } = await tamperTrials(Number(values.runs), Number(values.seed));
  console.table(tamperings);
  for (const one of wrong.slice(0, 5)) console.log(JSON.stringify(one));
  const sum = (of: 'found' | 'named') => Object.values(tamperings).reduce((all, one) => all + one[of], 0);
  const seconds = Math.round((performance.now() - begun) / 1_000);
  console.log(JSON.stringify({ ...report, found: sum('found'), named: sum('named'), seconds }));
  if (wrong.length > 0) process.exitCode = 1;
}
