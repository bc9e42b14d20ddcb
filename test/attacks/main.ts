/**
 * `npm run attack -- [--table] [--fuzz N] [--floods] [--seed S] [--against DIR] [--json]`: tries to break the local
 * mode. Without the first three it does all of them. With `--against DIR` the floods run on that checkout too, as
 * "before". With `--json` the last line is one object. Exit 1 when something did not hold.
 */
import { readCommandLine } from '../../src/command-line.ts';
import { MAX_COST } from './attack.ts';
import { startBroker } from './broker.ts';
import { measureCost } from './cost.ts';
import { type Held, runAttack } from './run.ts';
import { table } from './table.ts';

interface Measured extends Held {
  readonly cost: number | undefined;
}

const usage = `npm run attack -- [--table] [--json]

  --table  only the table of attacks
  --json   the last line is one JSON object`;
const { values } = readCommandLine(usage, {
  options: {
    table: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const result = { attacks: await attackAll() };
if (values.json) console.log(JSON.stringify(result));

async function attackAll(): Promise<Measured[]> {
  await using broker = await startBroker();
  // The whole table before anything is measured, since what is measured leaves its traces in the broker.
  const held = new Map<string, Held>();
  for (const attack of Object.values(table).flat()) held.set(attack.what, await runAttack(broker, attack));
  const cost = await measureCost(broker);
  console.log(`a plain refusal: ${Math.round(cost.plainMicros ?? Number.NaN)} µs of processor\n`);
  console.log('held  requests  statuses      upstream  writes  audit  cost       attack');
  const rows: Measured[] = [];
  for (const [kind, attacks] of Object.entries(table)) {
    console.log(`-- ${kind}`);
    for (const attack of attacks) {
      const row = held.get(attack.what);
      if (row === undefined) continue;
      const measured = await cost.of(attack);
      const most = attack.allowed.cost ?? MAX_COST;
      const problems = [
        ...row.problems,
        ...(measured !== undefined && measured > most
          ? [`costs ${measured} plain refusals, at most ${most}`]
          : []),
      ];
      rows.push({ ...row, problems, cost: measured });
      print({ ...row, problems, cost: measured }, most);
    }
  }
  const broken = rows.filter(({ problems }) => problems.length > 0);
  console.log(`\n${rows.length} attacks, ${rows.length - broken.length} held`);
  if (broken.length > 0) process.exitCode = 1;
  return rows;
}

function print(row: Measured, most: number): void {
  const cells = [
    (row.problems.length === 0 ? 'yes' : 'NO').padEnd(4),
    String(row.requests).padStart(8),
    row.statuses.join(' ').padEnd(12),
    String(row.upstreamCalls).padStart(8),
    String(row.writes).padStart(6),
    String(row.auditRows).padStart(5),
    `${row.cost ?? '?'} of ${most}`.padEnd(9),
    row.what,
  ];
  console.log(cells.join('  '));
  for (const problem of row.problems) console.log(`        ${problem}`);
}
