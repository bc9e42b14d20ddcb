/** `events`: what came in and what it did. */
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { styleFor } from '../render/style.ts';
import { table } from '../render/table.ts';
import { times } from '../render/time.ts';
import { openSession } from '../session.ts';
import { readMost } from './audit.ts';

type Event = Readonly<Record<string, string>> & { readonly kind: string; readonly at: string };

export async function run({ world, options }: Call): Promise<undefined> {
  const session = await openSession(world, options);
  const most = readMost(textOption(options, 'limit') ?? '100');
  const items = await operatorApi(world, session).all<Event>('events', {}, most);
  if (options.json) return world.stdout.write(`${JSON.stringify({ items })}\n`) as undefined;
  const style = styleFor(world, world.stdout);
  const time = times(session.nowMs(), options.utc === true);
  const rows = items.map(({ kind, at, key, reason, problem, source, type }) => [
    time.brief(at),
    { text: kind, ...(kind === 'poison' && { style: style.bad }) },
    key ?? type ?? '',
    problem ?? reason,
    source,
  ]);
  const columns = [
    { head: 'WHEN' },
    { head: 'KIND' },
    { head: 'ABOUT', atLeast: 16 },
    { head: 'WHY', atLeast: 10, giveWay: 1 },
    { head: 'FROM', atLeast: 10, giveWay: 2 },
  ];
  world.stdout.write(
    items.length === 0 ? 'Nothing has come in.\n' : table(columns, rows, world.stdout.columns, style.dim),
  );
}
