/** `leak [FILE...]`: finds account keys in a text, and tells by hash alone which of the broker's accounts they open. */
import { createReadStream } from 'node:fs';
import type { Account } from '../../rotation/shown.ts';
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import type { Place } from '../key-shapes.ts';
import { type Found, leaksIn } from '../leaks.ts';
import { PROGRAM } from '../program-name.ts';
import { styleFor } from '../render/style.ts';
import { facts } from '../render/table.ts';
import { openSession } from '../session.ts';

export async function run({ world, args, options }: Call): Promise<number> {
  const rotates = options['rotate'] === true;
  const reason = textOption(options, 'reason');
  if (rotates && reason === undefined) throw new CommandFailure('usage', '--rotate needs a --reason.');
  const session = await openSession(world, options);
  const api = operatorApi(world, session);
  const accounts = await api.all<Account>('accounts');
  const inputs =
    args.length === 0
      ? [{ name: undefined, stream: world.stdin }]
      : args.map((name) => ({ name, stream: createReadStream(name) }));
  const { found, others } = await leaksIn(inputs, accounts).catch((error: unknown) => {
    const { code, path } = error as NodeJS.ErrnoException;
    throw new CommandFailure('usage', `${path ?? 'stdin'} cannot be read (${code}).`);
  });
  const operations: string[] = [];
  if (rotates)
    for (const { account, slot } of found) {
      const path = `accounts/${encodeURIComponent(account)}/rotate`;
      const { operation } = await api.act<{ operation: string }>(path, { slot, emergency: true, reason });
      operations.push(operation);
    }
  const result = { found, others, ...(rotates && { operations }) };
  world.stdout.write(
    options.json ? `${JSON.stringify(result)}\n` : textOf(result, styleFor(world, world.stdout)),
  );
  // What was found and is being rotated needs nobody any more.
  return found.length === 0 || rotates ? EXIT.done : EXIT.failed;
}

function textOf(
  {
    found,
    others,
    operations,
  }: { readonly found: readonly Found[]; readonly others: number; readonly operations?: readonly string[] },
  style: ReturnType<typeof styleFor>,
): string {
  const isRest =
    others === 0 ? '' : ` ${others} text(s) of the shape of a key open none of its accounts today.`;
  if (found.length === 0) return `No key of an account of this broker.${isRest}\n`;
  const blocks = found.map(({ fingerprint, account, slot, state, places }, at) =>
    facts([
      ['account', { text: `${account} ${slot} (${state})`, style: style.bad }],
      ['fingerprint', fingerprint],
      [
        'seen',
        places.slice(0, 3).map(placeText).join(', ') +
          (places.length > 3 ? `, and ${places.length - 3} more` : ''),
      ],
      [
        'next',
        operations?.[at] === undefined
          ? `${PROGRAM} rotate ${account} --slot ${slot} --emergency --reason "key leaked"`
          : `${PROGRAM} operation ${operations[at]}`,
      ],
    ]),
  );
  return `${blocks.join('\n')}\n${found.length} key(s) that open an account today.${isRest}\n`;
}

const placeText = ({ commit, file, line }: Place): string =>
  [commit?.slice(0, 12), `${file ?? 'stdin'}:${line}`].filter((part) => part !== undefined).join(' ');
