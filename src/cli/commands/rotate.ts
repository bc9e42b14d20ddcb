/** `rotate ACCOUNT`: asks for a rotation now, and follows it to its end. */
import type { Operation } from '../../operations/operation.ts';
import { operatorApi, Refused } from '../api.ts';
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
  const started = (): number => {
    const told = `${name}: a rotation is asked for. ${PROGRAM} operation ${id} tells how it goes.\n`;
    world.stdout.write(options.json ? `${JSON.stringify({ operation: id })}\n` : told);
    return EXIT.done;
  };
  if (options['wait'] === false) return started();
  let operation: Operation | undefined;
  try {
    operation = await followRotation(world, session, api, id);
  } catch (error) {
    // Whoever may act need not be allowed to read. What was asked for is asked for.
    if (!(error instanceof Refused) || error.exitCode !== EXIT.notAllowed) throw error;
    world.stderr.write('You may not follow it: that needs the app role Broker.Auditor.\n');
    return started();
  }
  if (operation === undefined) return INTERRUPTED;
  const view = { style: styleFor(world, world.stdout), times: times(session.nowMs(), options.utc === true) };
  world.stdout.write(options.json ? `${JSON.stringify(operation)}\n` : operationText(operation, view));
  return operation.state === 'succeeded' ? EXIT.done : EXIT.failed;
}
