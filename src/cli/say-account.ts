/** The two acts that are done when they are answered, with the account as it then is. */
import type { Account } from '../rotation/shown.ts';
import { operatorApi } from './api.ts';
import { type Call, textOption } from './command.ts';
import { times } from './render/time.ts';
import { openSession } from './session.ts';

export async function sayAccount(
  { world, args: [name = ''], options }: Call,
  act: 'pause' | 'resume',
): Promise<undefined> {
  const session = await openSession(world, options);
  const path = `accounts/${encodeURIComponent(name)}/${act}`;
  const reason = textOption(options, 'reason');
  const account = await operatorApi(world, session).act<Account & { operation: string }>(path, { reason });
  const due = times(session.nowMs(), options.utc === true).at(account.dueAt);
  const next = due === undefined ? '' : `; the next rotation is due ${due}`;
  const text =
    act === 'pause'
      ? `${name} is paused: no rotation begins, but for an emergency.\n`
      : `${name} is not paused any more${next}.\n`;
  world.stdout.write(options.json ? `${JSON.stringify(account)}\n` : text);
}
