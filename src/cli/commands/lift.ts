/** `lift`: ends a block. What was cut off stays cut off. */
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { canAsk, confirm } from '../confirm.ts';
import { CommandFailure } from '../failure.ts';
import { readScope } from '../scope.ts';
import { openSession } from '../session.ts';
import { capital, whoIsMeant, withObjectId } from './revoke.ts';

export async function run(call: Call): Promise<number> {
  const { world, options } = call;
  const session = await openSession(world, options);
  const api = operatorApi(world, session);
  const reason = textOption(options, 'reason');
  let named = await readScope(call, session);
  const found = await whoIsMeant(api, named, false, reason, 'revocations/lift');
  if (found !== undefined) {
    named = withObjectId(named, found);
    const who = `${capital(named.words)} has the object id ${found.objectId}`;
    if (options['yes'] !== true && !canAsk(world))
      throw new CommandFailure(
        'usage',
        `Nothing was done: ${who}.`,
        'Say --yes, or the object id in place of the name.',
      );
    world.stderr.write(`${who}.\n`);
  }
  if (
    options['yes'] !== true &&
    canAsk(world) &&
    !(await confirm(world, `Lift the block of ${named.words}?`))
  ) {
    world.stderr.write('Nothing was done.\n');
    return 1;
  }
  const lifted = await api.act<{ operation: string; lifted: boolean }>('revocations/lift', {
    scope: named.scope,
    reason,
  });
  const text = lifted.lifted
    ? `${capital(named.words)} is not blocked any more. Tokens from before the revocation stay refused.\n`
    : `${capital(named.words)} was not blocked.\n`;
  world.stdout.write(options.json ? `${JSON.stringify(lifted)}\n` : text);
  return 0;
}
