/** `policy versions`: what was in force, who put it there and why, the newest first. */
import type { InForce } from '../../policy/store.ts';
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { styleFor } from '../render/style.ts';
import { table } from '../render/table.ts';
import { times } from '../render/time.ts';
import { openSession } from '../session.ts';

type Version = Omit<InForce, 'serial'> & { readonly inForce: boolean };
const MOST = 20;

export async function run({ world, options }: Call): Promise<undefined> {
  const session = await openSession(world, options);
  const limit = Number(textOption(options, 'limit') ?? MOST);
  const items = await operatorApi(world, session).all<Version>('policy/versions', {}, limit);
  if (options.json) {
    world.stdout.write(`${JSON.stringify({ items })}\n`);
    return;
  }
  const style = styleFor(world, world.stdout);
  const time = times(session.nowMs(), options.utc === true);
  const rows = items.map(({ version, how, at, by, reason, inForce }) => [
    { text: version.slice(0, 12), style: inForce ? style.good : (text: string) => text },
    how,
    time.at(at),
    by,
    reason,
  ]);
  const columns = [
    { head: 'VERSION' },
    { head: 'HOW' },
    { head: 'WHEN' },
    { head: 'WHO', giveWay: 2 },
    { head: 'WHY', giveWay: 1 },
  ];
  world.stdout.write(table(columns, rows, world.stdout.columns, style.dim));
}
