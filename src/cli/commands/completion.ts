/** `completion SHELL`: what the shell completes after the command's name. */
import type { Call } from '../command.ts';
import { completion, SHELLS } from '../completion.ts';
import { CommandFailure } from '../failure.ts';

export async function run({ world, args: [shell = ''], specs }: Call): Promise<undefined> {
  const script = completion(shell, specs);
  if (script === undefined)
    throw new CommandFailure(
      'usage',
      `No completion for ${shell}.`,
      `There is one for ${SHELLS.join(', ')}.`,
    );
  world.stdout.write(script);
}
