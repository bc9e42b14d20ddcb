/** `audit`: who got tokens, who was refused, and what operators did. */
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import type { AuditItem } from '../outstanding.ts';
import { auditText } from '../render/audit.ts';
import { styleFor } from '../render/style.ts';
import { times } from '../render/time.ts';
import { openSession } from '../session.ts';
import { readInstant } from '../when.ts';

export async function run({ world, options }: Call): Promise<undefined> {
  const session = await openSession(world, options);
  const now = session.nowMs();
  const most = readMost(textOption(options, 'limit'));
  const caller = textOption(options, 'caller');
  const local = session.local?.mode.callers.find(({ name }) => name === caller);
  const items = await operatorApi(world, session).all<AuditItem>(
    'audit',
    {
      from: readInstant(textOption(options, 'from') ?? '1h', now, 'from'),
      to: readInstant(textOption(options, 'to') ?? new Date(now + 60_000).toISOString(), now, 'to'),
      resource: textOption(options, 'resource'),
      caller: local?.objectId ?? caller,
      outcome: textOption(options, 'outcome'),
    },
    most,
  );
  const view = {
    style: styleFor(world, world.stdout),
    times: times(now, options.utc === true),
    width: world.stdout.columns,
  };
  world.stdout.write(options.json ? `${JSON.stringify({ items })}\n` : auditText(items, view));
  if (items.length === most)
    world.stderr.write(`These are the first ${most}; --limit takes more, --from later ones.\n`);
}

export function readMost(given: string | undefined): number {
  const most = Number(given ?? 1_000);
  if (Number.isInteger(most) && most >= 1 && most <= 1_000_000) return most;
  throw new CommandFailure('usage', '--limit is a whole number from 1 to 1000000.');
}
