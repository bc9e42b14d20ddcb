/** `revocations`: what is refused, since when, by whom and why; the newest first. */
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { type Revocation, revocationsText } from '../render/revocations.ts';
import { styleFor } from '../render/style.ts';
import { times } from '../render/time.ts';
import { openSession } from '../session.ts';
import { readMost } from './audit.ts';

export async function run({ world, options }: Call): Promise<undefined> {
  const session = await openSession(world, options);
  const most = readMost(textOption(options, 'limit') ?? '100');
  const api = operatorApi(world, session);
  const isBlocked = options['blocked'] === true;
  // The broker does not filter them: a block may be older than the newest hundred.
  const found = await api.all<Revocation>('revocations', {}, isBlocked ? undefined : most);
  const items = found.filter(({ blocked }) => blocked || !isBlocked).slice(0, most);
  const view = {
    style: styleFor(world, world.stdout),
    times: times(session.nowMs(), options.utc === true),
    width: world.stdout.columns,
  };
  world.stdout.write(options.json ? `${JSON.stringify({ items })}\n` : revocationsText(items, view));
}
