/** `policy rollback VERSION`: back to a version that was in force before. For operators, in an emergency. */
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { type PolicyChange, policyChangeText } from '../render/policy-change.ts';
import { styleFor } from '../render/style.ts';
import { openSession } from '../session.ts';

export async function run({ world, args: [version = ''], options }: Call): Promise<undefined> {
  const api = operatorApi(world, await openSession(world, options));
  const change = await api.act<PolicyChange>('policy/rollback', {
    version,
    reason: textOption(options, 'reason'),
  });
  if (options.json) world.stdout.write(`${JSON.stringify(change)}\n`);
  else world.stdout.write(policyChangeText(change, true, { style: styleFor(world, world.stdout) }));
}
