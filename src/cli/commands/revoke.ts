/** `revoke`: says what will end and what cannot be ended, acts, and counts down to the last token's end. */
import { type Api, operatorApi, Refused } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { canAsk, confirm } from '../confirm.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { countDown, INTERRUPTED } from '../follow.ts';
import { lastEnd, outstanding, outstandingText } from '../outstanding.ts';
import { hanging } from '../render/text.ts';
import { times } from '../render/time.ts';
import { type NamedScope, readScope } from '../scope.ts';
import { openSession } from '../session.ts';

export interface Effect {
  readonly operation: string;
  readonly inForceAt: string;
  readonly timeToEffectMs: number;
  readonly lastTokenUntil: string;
  readonly blocked: boolean;
}

export async function run(call: Call): Promise<number> {
  const { world, options } = call;
  const session = await openSession(world, options);
  const api = operatorApi(world, session);
  let named = await readScope(call, session);
  const block = options['block'] === true;
  const isSure = options['yes'] === true;
  const asks = !isSure && canAsk(world);
  const time = times(session.nowMs(), options.utc === true);

  const found = await whoIsMeant(api, named, block, textOption(options, 'reason'));
  if (typeof found === 'object' && 'objectId' in found) {
    named = withObjectId(named, found);
    const who = `${capital(named.words)} has the object id ${found.objectId}, and the account is ${found.enabled ? 'enabled' : 'disabled'}`;
    if (!isSure && !asks)
      throw new CommandFailure(
        'usage',
        `Nothing was done: ${who}.`,
        'Say --yes, or the object id in place of the name.',
      );
    world.stderr.write(`${hanging(`${who}.`, 0, world.stderr.columns)}\n`);
  }
  if (asks || world.stderr.isTerminal) {
    world.stderr.write(
      outstandingText(named, block, await outstanding(api, session, named), time, world.stderr.columns),
    );
    if (asks && !(await confirm(world, `Revoke ${named.words}?`))) {
      world.stderr.write('Nothing was done.\n');
      return EXIT.failed;
    }
  }
  const effect = await api.act<Effect>('revocations', {
    scope: named.scope,
    ...(block && { block }),
    reason: textOption(options, 'reason'),
  });
  // By now none is added: what the audit holds is all that is out.
  const out = await outstanding(api, session, named);
  const until = lastEnd(out) ?? effect.lastTokenUntil;
  const isOut = out === undefined || !out.isAll || out.count > 0;
  if (options.json) world.stdout.write(`${JSON.stringify(effect)}\n`);
  else
    world.stdout.write(
      `${capital(named.words)} is revoked, in force on every instance after ${effect.timeToEffectMs} ms.\n` +
        `${block ? 'No token is accepted until it is lifted.\n' : 'A token that Entra issues from now on is accepted again; --block refuses those too.\n'}` +
        (isOut ? `The last token that is out ends ${time.at(until)}.\n` : 'No token of it is out.\n'),
    );
  if (!isOut || !world.stderr.isTerminal || options['wait'] === false) return EXIT.done;
  const isOver = await countDown(world, session, until, 'The last token that is out ends');
  world.stderr.write(
    isOver ? 'No token of it is accepted anywhere any more.\n' : 'The revocation stays in force.\n',
  );
  return isOver ? EXIT.done : INTERRUPTED;
}

interface Found {
  readonly objectId: string;
  readonly enabled: boolean;
}
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Nothing is done by a name: the broker looks it up and answers whose it is. */
export async function whoIsMeant(
  api: Api,
  { scope }: NamedScope,
  block: boolean,
  reason: string | undefined,
  path = 'revocations',
): Promise<Found | undefined> {
  if (scope.kind !== 'user' || GUID.test(scope.objectId)) return undefined;
  try {
    await api.act(path, { scope, ...(block && { block }), reason });
  } catch (error) {
    const found = error instanceof Refused && error.status === 409 ? error.body['found'] : undefined;
    if (typeof found === 'object' && found !== null) return found as Found;
    throw error;
  }
  throw new CommandFailure('failed', 'The broker took a name for an object id.');
}

export const withObjectId = (named: NamedScope, { objectId }: Found): NamedScope =>
  named.scope.kind === 'user' ? { ...named, scope: { ...named.scope, objectId } } : named;

export const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
