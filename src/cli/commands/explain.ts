/** `explain`: why a caller was refused, or what a described one would be answered, and what would change that. */
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { describedCaller } from '../described-caller.ts';
import { CommandFailure } from '../failure.ts';
import { type Explanation, explanationText } from '../render/explanation.ts';
import { styleFor } from '../render/style.ts';
import { times } from '../render/time.ts';
import { openSession } from '../session.ts';
import { readInstant } from '../when.ts';

export async function run({ world, args: [id], options }: Call): Promise<undefined> {
  const [caller, resource] = [textOption(options, 'caller'), textOption(options, 'resource')];
  if ((id === undefined) === (caller === undefined) || (caller !== undefined && resource === undefined))
    throw new CommandFailure(
      'usage',
      'What is to be explained is a correlation id, or a caller and a resource.',
      'explain 019abf6e4a007c3d9e15b6f84a028e4d, or explain --caller NAME --resource ACCOUNT',
    );
  const session = await openSession(world, options);
  const api = operatorApi(world, session);
  const [kind, at] = [textOption(options, 'kind'), textOption(options, 'at')];
  const asked =
    caller === undefined
      ? {
          correlationId: id?.replaceAll('-', '').toLowerCase(),
          ...(at !== undefined && { at: readInstant(at, session.nowMs(), 'at') }),
        }
      : {
          caller: await describedCaller(api, session, caller),
          resource,
          ...(kind !== undefined && { tokenKind: kind }),
        };
  const explanation = await api.ask<Explanation>('explain', asked);
  const view = {
    style: styleFor(world, world.stdout),
    times: times(session.nowMs(), options.utc === true),
    width: world.stdout.columns,
  };
  world.stdout.write(options.json ? `${JSON.stringify(explanation)}\n` : explanationText(explanation, view));
}
