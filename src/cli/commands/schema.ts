/** `schema COMMAND`: the JSON schema of what a command prints with `--json`. */
import * as z from 'zod';
import type { Call } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { FAILURE, SHAPES } from '../schemas.ts';

export async function run({ world, args }: Call): Promise<undefined> {
  const name = args.join(' ');
  const all = { ...SHAPES, failure: FAILURE };
  const shape = Object.entries(all).find(([each]) => each === name)?.[1];
  if (shape === undefined)
    throw new CommandFailure(
      'usage',
      name === '' ? 'No command is named.' : `${name} prints no JSON of its own.`,
      `There are ${Object.keys(all).join(', ')}.`,
    );
  world.stdout.write(`${JSON.stringify({ title: name, ...z.toJSONSchema(shape) }, null, 2)}\n`);
}
