/** `policy diff FILE`: what would change if the file were put in force. It changes nothing. */
import { operatorApi } from '../api.ts';
import type { Call } from '../command.ts';
import { type PolicyChange, policyChangeMarkdown, policyChangeText } from '../render/policy-change.ts';
import { styleFor } from '../render/style.ts';
import { openSession } from '../session.ts';
import { readPolicyFile } from './what-if.ts';

export async function run({ world, args: [file = ''], options }: Call): Promise<undefined> {
  const policy = readPolicyFile(file);
  const api = operatorApi(world, await openSession(world, options));
  const { version } = await api.get<{ version: string }>('policy');
  const change = await api.publish<PolicyChange>(version, { policy, reason: 'policy diff' }, true);
  if (options.json) world.stdout.write(`${JSON.stringify(change)}\n`);
  else if (options['markdown'] === true) world.stdout.write(policyChangeMarkdown(change));
  else world.stdout.write(policyChangeText(change, false, { style: styleFor(world, world.stdout) }));
}
