/** `usage`: who used what, how much and when last, as far as the audit is closed. */
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { styleFor } from '../render/style.ts';
import { times } from '../render/time.ts';
import { type UsageItem, usageText } from '../render/usage.ts';
import { openSession } from '../session.ts';
import { readInstant } from '../when.ts';
import { readMost } from './audit.ts';

export async function run({ world, options }: Call): Promise<undefined> {
  const session = await openSession(world, options);
  const now = session.nowMs();
  const most = readMost(textOption(options, 'limit'));
  const by = textOption(options, 'by') ?? 'resource,caller,outcome';
  const caller = textOption(options, 'caller');
  const callers = session.local?.mode.callers ?? [];
  const items = await operatorApi(world, session).all<UsageItem>(
    'usage',
    {
      from: readInstant(textOption(options, 'from') ?? '30d', now, 'from'),
      to: readInstant(textOption(options, 'to') ?? 'now', now, 'to'),
      by,
      per: textOption(options, 'per') ?? 'span',
      resource: textOption(options, 'resource'),
      caller: callers.find(({ name }) => name === caller)?.objectId ?? caller,
      grant: textOption(options, 'grant'),
    },
    most,
  );
  const summed = sum(items);
  const view = {
    style: styleFor(world, world.stdout),
    times: times(now, options.utc === true),
    width: world.stdout.columns,
    names: new Map(callers.map(({ objectId, name }) => [objectId, name])),
  };
  world.stdout.write(
    options.json ? `${JSON.stringify({ items: summed })}\n` : usageText(summed, by.split(','), view),
  );
  if (items.length === most)
    world.stderr.write(`These are the first ${most}; --limit takes more, --resource and --caller less.\n`);
}

/** An item that a further page has too is to be added to it. */
function sum(items: readonly UsageItem[]): readonly UsageItem[] {
  const sums = new Map<string, UsageItem>();
  for (const item of items) {
    const { count, lastAt, ...what } = item;
    const key = JSON.stringify(what);
    const known = sums.get(key);
    sums.set(key, {
      ...item,
      count: count + (known?.count ?? 0),
      lastAt: known !== undefined && known.lastAt > lastAt ? known.lastAt : lastAt,
    });
  }
  return [...sums.values()];
}
