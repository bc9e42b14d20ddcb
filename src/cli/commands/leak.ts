/** `leak [FILE...]`: finds account keys in a text, and tells by hash alone which of the broker's accounts they open. */
import { createReadStream } from 'node:fs';
import type { Account } from '../../rotation/shown.ts';
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { keysIn, type Place } from '../key-shapes.ts';
import { PROGRAM } from '../program-name.ts';
import { styleFor } from '../render/style.ts';
import { facts } from '../render/table.ts';
import { openSession } from '../session.ts';

interface Found {
  /** The first 16 hexadecimal digits of the key's SHA-256: all that is ever said of it. */
  readonly fingerprint: string;
  readonly account: string;
  readonly slot: string;
  readonly state: string;
  readonly places: readonly Place[];
}
/** Of one key; a history repeats it in every commit that touches its line. */
const MOST_PLACES = 20;

export async function run({ world, args, options }: Call): Promise<number> {
  const rotates = options['rotate'] === true;
  const reason = textOption(options, 'reason');
  if (rotates && reason === undefined) throw new CommandFailure('usage', '--rotate needs a --reason.');
  const session = await openSession(world, options);
  const api = operatorApi(world, session);
  const accounts = await api.all<Account>('accounts');
  const known = new Map(
    accounts.flatMap(({ name, slots = [] }) =>
      slots.flatMap(({ slot, state, fingerprint }) =>
        fingerprint === undefined ? [] : [[fingerprint, { account: name, slot, state }] as const],
      ),
    ),
  );
  const found = new Map<string, Found & { readonly places: Place[] }>();
  let others = 0;
  const inputs =
    args.length === 0
      ? [{ name: undefined, stream: world.stdin }]
      : args.map((name) => ({ name, stream: createReadStream(name) }));
  for (const { name, stream } of inputs) {
    try {
      for await (const { fingerprint, place } of keysIn(stream, name)) {
        const opens = known.get(fingerprint);
        if (opens === undefined) others += 1;
        else {
          const one = found.get(fingerprint) ?? { fingerprint, ...opens, places: [] };
          if (one.places.length < MOST_PLACES) one.places.push(place);
          found.set(fingerprint, one);
        }
      }
    } catch (error) {
      throw new CommandFailure(
        'usage',
        `${name ?? 'stdin'} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
      );
    }
  }
  const all = [...found.values()];
  const operations: string[] = [];
  if (rotates)
    for (const { account, slot } of all) {
      const path = `accounts/${encodeURIComponent(account)}/rotate`;
      const { operation } = await api.act<{ operation: string }>(path, { slot, emergency: true, reason });
      operations.push(operation);
    }
  const result = { found: all, others, ...(rotates && { operations }) };
  world.stdout.write(
    options.json ? `${JSON.stringify(result)}\n` : textOf(result, styleFor(world, world.stdout)),
  );
  return all.length === 0 ? EXIT.done : EXIT.failed;
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
