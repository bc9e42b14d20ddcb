/** `what-if FILE`: what the recorded requests of a span would be answered under a draft of the policy. */
import { readFileSync } from 'node:fs';
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { styleFor } from '../render/style.ts';
import { type WhatIf, whatIfText } from '../render/what-if.ts';
import { openSession } from '../session.ts';
import { readInstant } from '../when.ts';

export async function run({ world, args: [file = ''], options }: Call): Promise<undefined> {
  const session = await openSession(world, options);
  const now = session.nowMs();
  const answer = await operatorApi(world, session).ask<WhatIf>('what-if', {
    policy: readPolicyFile(file),
    from: readInstant(textOption(options, 'from') ?? '24h', now, 'from'),
    to: readInstant(textOption(options, 'to') ?? 'now', now, 'to'),
  });
  world.stdout.write(
    options.json
      ? `${JSON.stringify(answer)}\n`
      : whatIfText(answer, { style: styleFor(world, world.stdout), width: world.stdout.columns }),
  );
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailure('usage', `${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

function readPolicyFile(file: string): unknown {
  try {
    return JSON.parse(readText(file));
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure('usage', `${file} is no JSON.`, 'policy check tells where.');
  }
}
