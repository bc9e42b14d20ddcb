/** `operation ID`: what came of an act. */
import type { Operation } from '../../operations/operation.ts';
import { operatorApi } from '../api.ts';
import type { Call } from '../command.ts';
import { operationText } from '../render/operation.ts';
import { styleFor } from '../render/style.ts';
import { times } from '../render/time.ts';
import { openSession } from '../session.ts';

export async function run({ world, args: [id = ''], options }: Call): Promise<undefined> {
  const session = await openSession(world, options);
  const operation = await operatorApi(world, session).get<Operation>(`operations/${encodeURIComponent(id)}`);
  const view = { style: styleFor(world, world.stdout), times: times(session.nowMs(), options.utc === true) };
  world.stdout.write(options.json ? `${JSON.stringify(operation)}\n` : operationText(operation, view));
}
