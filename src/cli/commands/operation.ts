/** `operation [ID]`: what came of an act, or of the last ones. */
import type { Operation } from '../../operations/operation.ts';
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { operationsText, operationText } from '../render/operation.ts';
import { styleFor } from '../render/style.ts';
import { times } from '../render/time.ts';
import { openSession } from '../session.ts';
import { readMost } from './audit.ts';

export async function run({ world, args: [id], options }: Call): Promise<undefined> {
  const session = await openSession(world, options);
  const api = operatorApi(world, session);
  const view = {
    style: styleFor(world, world.stdout),
    times: times(session.nowMs(), options.utc === true),
    width: world.stdout.columns,
  };
  if (id !== undefined) {
    const operation = await api.get<Operation>(`operations/${encodeURIComponent(id)}`);
    world.stdout.write(options.json ? `${JSON.stringify(operation)}\n` : operationText(operation, view));
    return;
  }
  const items = await api.all<Operation>('operations', {}, readMost(textOption(options, 'limit') ?? '20'));
  world.stdout.write(options.json ? `${JSON.stringify({ items })}\n` : operationsText(items, view));
}
