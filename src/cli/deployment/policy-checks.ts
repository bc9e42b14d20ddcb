/** Whether the policy in force is the one at hand. */
import { shortVersion } from '../../policy/version.ts';
import { type Check, checksOf, skip } from './check.ts';
import type { Evidence } from './evidence.ts';

export function policyChecks({ policy: { here, there } }: Evidence): readonly Check[] {
  if ('unseen' in there) return [skip('policy', there.unseen)];
  if ('unseen' in here) return [skip('policy', `${shortVersion(there.seen)} is in force; ${here.unseen}`)];
  const isSame = here.seen === there.seen;
  return checksOf(
    'policy',
    isSame
      ? []
      : [
          {
            says: `${shortVersion(there.seen)} is in force, and the file is ${shortVersion(here.seen)}`,
            todo: 'azure-ai-token-broker policy diff FILE tells what differs; policy apply puts the file in force.',
          },
        ],
    `${shortVersion(there.seen)} is in force, as in the file`,
  );
}
