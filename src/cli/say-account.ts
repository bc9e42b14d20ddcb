/** The two acts that are done when they are answered, with the account as it then is. */
import type { Account } from '../rotation/shown.ts';
import { type Api, operatorApi } from './api.ts';
import { type Call, textOption } from './command.ts';
import { CommandFailure } from './failure.ts';
import { times } from './render/time.ts';
import { openSession } from './session.ts';

type Done = Account & { readonly operation: string };

export async function sayAccount(
  { world, args, options }: Call,
  act: 'pause' | 'resume',
): Promise<undefined> {
  const isForAll = options['all'] === true;
  if (isForAll === args.length > 0)
    throw new CommandFailure(
      'usage',
      isForAll ? 'Accounts and --all do not go together.' : 'It is not said which account.',
      `${act} speech --reason TEXT, or ${act} --all --reason TEXT`,
    );
  const session = await openSession(world, options);
  const api = operatorApi(world, session);
  const reason = textOption(options, 'reason');
  const time = times(session.nowMs(), options.utc === true);
  const done: Done[] = [];
  // One after the other: whatever ends this before its end has told on stdout which accounts are done.
  for (const name of isForAll ? await rotated(api) : args) {
    const account = await api.act<Done>(`accounts/${encodeURIComponent(name)}/${act}`, { reason });
    done.push(account);
    if (options.json) continue;
    const due = time.at(account.dueAt);
    const next = due === undefined ? '' : `; the next rotation is due ${due}`;
    world.stdout.write(
      act === 'pause'
        ? `${name} is paused: no rotation begins, but for an emergency.\n`
        : `${name} is not paused any more${next}.\n`,
    );
  }
  if (options.json)
    world.stdout.write(`${JSON.stringify(isForAll || done.length > 1 ? { items: done } : done[0])}\n`);
}

async function rotated(api: Api): Promise<readonly string[]> {
  const accounts = await api.all<Account>('accounts');
  return accounts.filter(({ rotates }) => rotates).map(({ name }) => name);
}
