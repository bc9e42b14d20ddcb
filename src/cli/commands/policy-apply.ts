/** `policy apply FILE`: puts the file in force on every instance, unless somebody else changed the policy meanwhile. */
import { operatorApi, Refused } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { type PolicyChange, policyChangeText } from '../render/policy-change.ts';
import { styleFor } from '../render/style.ts';
import { openSession } from '../session.ts';
import { readPolicyFile } from './what-if.ts';

export async function run({ world, args: [file = ''], options }: Call): Promise<undefined> {
  const policy = readPolicyFile(file);
  const api = operatorApi(world, await openSession(world, options));
  const { version } = await api.get<{ version: string }>('policy');
  const commit = textOption(options, 'commit');
  const { confirm } = options;
  const body = {
    policy,
    reason: textOption(options, 'reason'),
    ...(commit !== undefined && { commit }),
    ...(Array.isArray(confirm) && { confirm: confirm.map(String) }),
  };
  try {
    const change = await api.publish<PolicyChange>(version, body, false);
    if (options.json) world.stdout.write(`${JSON.stringify(change)}\n`);
    else world.stdout.write(policyChangeText(change, true, { style: styleFor(world, world.stdout) }));
  } catch (error) {
    throw withNextStep(error);
  }
}

/** A refusal that the author of the policy can do something about says what. */
export function withNextStep(error: unknown): unknown {
  if (!(error instanceof Refused)) return error;
  const { confirmations, problems } = error.body;
  if (Array.isArray(problems)) return new CommandFailure('failed', [error.message, ...problems].join('\n'));
  if (!Array.isArray(confirmations)) return error;
  const named = confirmations.map(
    ({ name, why }: { name: string; why: string }) => `--confirm ${name}: ${why}`,
  );
  return new CommandFailure('failed', error.message, named.join('\n'));
}
