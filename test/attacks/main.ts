/**
 * `npm run attack`: tries to break the local mode, prints what held with figures, and exits with 1 when something
 * here did not hold.
 */
import { resolve } from 'node:path';
import { readCommandLine, wrongUsage } from '../../src/command-line.ts';
import type { Fuzzed } from './fuzz.ts';
import type { UnderFlood } from './good-callers.ts';
import type { Measured } from './measured.ts';

const usage = `npm run attack -- [options]

  --table        the table of attacks, each with what it cost
  --fuzz N       every parser and every route with N random inputs
                 (initially 50,000)
  --floods       what good callers keep under each flood
                 (none of the three: all of them)
  --seed S       of the random inputs (initially another one each time)
  --seconds S    the length of each part of a flood (initially 4)
  --only TEXT    only floods with this in their names
  --against DIR  the table and the floods also against this checkout, first,
                 as "before"
  --json         the last line is one JSON object`;
const { values } = readCommandLine(usage, {
  options: {
    table: { type: 'boolean', default: false },
    floods: { type: 'boolean', default: false },
    fuzz: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string', default: '' },
    against: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
for (const number of [values.fuzz ?? '1', values.seed, values.seconds])
  if (!/^[0-9]+$/.test(number)) wrongUsage(usage, `not a number: ${number}`);
const everything = !values.table && !values.floods && values.fuzz === undefined;
const against = values.against === undefined ? undefined : resolve(values.against);
const result: Record<string, unknown> = {};

// What attacks takes seconds to load. It loads when the options are known to be good.
const { fuzzAll } = await import('./fuzz.ts');
const { floodAll } = await import('./good-callers.ts');
const { attackAll } = await import('./measured.ts');

/** Before and after, where there is another checkout; what did not hold before is what it is for. */
async function compare<Row extends { readonly problems: readonly string[] }>(
  name: string,
  run: (checkout?: string) => Promise<readonly Row[]>,
): Promise<void> {
  const rows: Record<string, readonly Row[]> = {};
  if (against !== undefined) {
    console.log(`\n${name}, before: ${against}`);
    rows['before'] = await run(against);
  }
  console.log(`\n${name}${against === undefined ? '' : ', after'}`);
  rows['after'] = await run();
  for (const [when, found] of Object.entries(rows)) {
    const broken = found.filter(({ problems }) => problems.length > 0).length;
    console.log(`${name}, ${when}: ${found.length - broken} of ${found.length} held`);
  }
  result[name] = rows;
  if (rows['after'].some(({ problems }) => problems.length > 0)) process.exitCode = 1;
}

if (everything || values.table) await compare<Measured>('table', (checkout) => attackAll(checkout));
if (everything || values.fuzz !== undefined) {
  const seed = Number(values.seed);
  console.log(`\nfuzz, seed ${seed}`);
  const fuzzed = await fuzzAll(Number(values.fuzz ?? 50_000), seed, printFuzzed);
  if (fuzzed.some(({ finding }) => finding !== undefined)) process.exitCode = 1;
  result['fuzz'] = { seed, parts: fuzzed };
}
if (everything || values.floods)
  await compare<UnderFlood>('floods', (checkout) => {
    console.log(
      'held  flood/s  µs beside 404s  beside flood  share  by wall  failed         memory    flood',
    );
    return floodAll(Number(values.seconds), printFlood, values.only, checkout);
  });
if (values.json) console.log(JSON.stringify(result));

function printFuzzed({ what, runs, seconds, finding }: Fuzzed): void {
  console.log(
    `${finding === undefined ? 'yes' : 'NO '}  ${String(runs).padStart(6)} in ${seconds} s  ${what}`,
  );
  if (finding !== undefined) console.log(finding);
}

function printFlood(row: UnderFlood): void {
  const cells = [
    (row.problems.length === 0 ? 'yes' : 'NO').padEnd(4),
    String(row.floodPerSecond).padStart(7),
    String(row.beside404sMicros).padStart(14),
    String(row.besideFloodMicros).padStart(12),
    row.share.toFixed(2).padStart(5),
    row.wallShare.toFixed(2).padStart(7),
    `${row.failed} of ${row.of}`.padEnd(13),
    `+${row.riseMiB} MiB`.padEnd(8),
    row.what,
  ];
  console.log(cells.join('  '));
  for (const problem of row.problems) console.log(`        ${problem}`);
}
