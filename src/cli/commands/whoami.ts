/** `whoami`: which identity and roles the broker sees, and what that may have. */
import type { Call } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { mayHave } from '../may-have.ts';
import { introspectOwn } from '../own-admission.ts';
import { readOwnToken } from '../own-token.ts';
import { whoamiText } from '../render/whoami.ts';
import { openSession } from '../session.ts';

export async function run({ world, options }: Call): Promise<undefined | number> {
  const session = await openSession(world, options);
  const token = await session.token('caller');
  const claims = readOwnToken(token);
  if (claims === undefined)
    throw new CommandFailure('notAllowed', 'Your own token cannot be read, so it is none of Entra.');
  const admission = await introspectOwn(world, session.broker, token);
  const may = admission.accepted ? await mayHave(world, session, claims) : undefined;
  const seen = { broker: session.broker, ...claims, ...admission, ...(may !== undefined && { may }) };
  world.stdout.write(options.json ? `${JSON.stringify(seen)}\n` : whoamiText(seen));
  return admission.accepted ? 0 : 4;
}
