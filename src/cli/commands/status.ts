/** `status [ACCOUNT]`: every account on a line, or one with its slots, its history and its lags. */
import type { Account, Step } from '../../rotation/shown.ts';
import { type Api, operatorApi } from '../api.ts';
import type { Call } from '../command.ts';
import { INTERRUPTED, wait } from '../follow.ts';
import { accountsText, accountText } from '../render/accounts.ts';
import { styleFor } from '../render/style.ts';
import { times } from '../render/time.ts';
import { openSession, type Session } from '../session.ts';

const LAST_STEPS = 20;
const WATCH_EVERY_MS = 2_000;

export async function run(call: Call): Promise<number> {
  const { world, options } = call;
  const session = await openSession(world, options);
  const api = operatorApi(world, session);
  if (options['watch'] !== true) {
    world.stdout.write(await look(call, session, api));
    return 0;
  }
  for (;;) {
    const text = await look(call, session, api);
    // With the screen cleared first, so that nothing of a longer text before it stays.
    world.stdout.write(world.stdout.isTerminal ? `\u001b[H\u001b[2J${text}` : text);
    if (!(await wait(world, WATCH_EVERY_MS))) return world.stdout.isTerminal ? 0 : INTERRUPTED;
  }
}

async function look({ world, args: [name], options }: Call, session: Session, api: Api): Promise<string> {
  await session.local?.clock.sync();
  const view = {
    style: styleFor(world, world.stdout),
    times: times(session.nowMs(), options.utc === true),
    width: world.stdout.columns,
  };
  if (name === undefined) {
    const items = await api.all<Account>('accounts');
    return options.json ? `${JSON.stringify({ items })}\n` : accountsText(items, view);
  }
  const path = `accounts/${encodeURIComponent(name)}`;
  const account = await api.get<Account>(path);
  const history = account.rotates ? await api.all<Step>(`${path}/history`, {}, LAST_STEPS) : [];
  return options.json ? `${JSON.stringify({ ...account, history })}\n` : accountText(account, history, view);
}
