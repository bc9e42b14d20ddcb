import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { EXIT } from '../failure.ts';
import { followRotation, INTERRUPTED } from '../follow.ts';
import { PROGRAM } from '../program-name.ts';
import { operationText } from '../render/operation.ts';
import { styleFor } from '../render/style.ts';
import { times } from '../render/time.ts';
import { openSession } from '../session.ts';

export async function run({ world, args: [name = ''], options }: Call): Promise<number> {
  const session = await openSession(world, options);
  const api = operatorApi(world, session);
  const slot = textOption(options, 'slot');
  const { operation: id } = await api.act<{ operation: string }>(
    `accounts/${encodeURIComponent(name)}/rotate`,
    {
      reason: textOption(options, 'reason'),
      ...(slot !== undefined && { slot }),
      ...(options['emergency'] === true && { emergency: true }),
    },
  );
  if (options['wait'] === false) {
    const told = `${name}: a rotation is asked for. ${PROGRAM} operation ${id} tells how it goes.\n`;
    world.stdout.write(options.json ? `${JSON.stringify({ operation: id })}\n` : told);
    return EXIT.done;
  }
  const operation = await followRotation(world, session, api, id);
  if (operation === undefined) return INTERRUPTED;
  const view = {
    style: styleFor(world, world.stdout),
    times: times(session.nowMs(), options.utc === true),
    width: world.stdout.columns,
  };
  world.stdout.write(options.json ? `${JSON.stringify(operation)}\n` : operationText(operation, view));
  return operation.state === 'succeeded' ? EXIT.done : EXIT.failed;
}
