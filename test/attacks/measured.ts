/** The whole table with what each attack costs, printed for a reader. */
import { MAX_COST } from './attack.ts';
import { startBroker } from './broker.ts';
import { measureCost } from './cost.ts';
import { type Held, runAttack } from './run.ts';
import { table } from './table.ts';

export interface Measured extends Held {
  /** Processor time of a request, as a multiple of a plain refusal's; undefined where the system does not tell. */
  readonly cost: number | undefined;
}

/** @param checkout the product that is attacked; initially this one */
export async function attackAll(checkout?: string): Promise<Measured[]> {
  await using broker = await startBroker(checkout);
  // The whole table before anything is measured, since what is measured leaves its traces in the broker.
  const held = new Map<string, Held>();
  for (const attack of Object.values(table).flat()) held.set(attack.what, await runAttack(broker, attack));
  const cost = await measureCost(broker);
  console.log(`a plain refusal: ${Math.round(cost.plainMicros ?? Number.NaN)} µs of processor`);
  console.log('held  requests  statuses      upstream  writes  audit  cost        attack');
  const rows: Measured[] = [];
  for (const [kind, attacks] of Object.entries(table)) {
    console.log(`-- ${kind}`);
    for (const attack of attacks) {
      const row = held.get(attack.what);
      if (row === undefined) continue;
      const most = attack.allowed.cost ?? MAX_COST;
      const measured = { ...row, cost: await cost.of(attack) };
      const tooMuch = measured.cost !== undefined && measured.cost > most;
      const dear = tooMuch ? [`costs ${measured.cost} plain refusals, at most ${most}`] : [];
      const whole = { ...measured, problems: [...row.problems, ...dear] };
      rows.push(whole);
      print(whole, most);
    }
  }
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
    `${row.cost ?? '?'} of ${most}`.padEnd(10),
    row.what,
  ];
  console.log(cells.join('  '));
  for (const problem of row.problems) console.log(`        ${problem}`);
}
