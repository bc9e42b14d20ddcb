/**
 * `npm run check [-- --policy FILE] [--environments FILE] [--environment NAME]`: before a deployment, is the
 * policy valid and does each environment give the broker every role that the policy needs? Exit 1 when not.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadPolicy, PolicyError } from '../src/policy/load.ts';
import { missingRoles, needlessAccounts } from './agree.ts';
import { EnvironmentsError, parseEnvironments } from './environments.ts';

const { values } = parseArgs({
  options: {
    policy: { type: 'string', default: join(import.meta.dirname, 'policy.json') },
    environments: { type: 'string', default: join(import.meta.dirname, 'environments.json') },
    environment: { type: 'string' },
  },
});

try {
  process.exitCode = check(values.policy, values.environments, values.environment) ? 0 : 1;
} catch (error) {
  if (!(error instanceof PolicyError || error instanceof EnvironmentsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function check(policyFile: string, environmentsFile: string, only: string | undefined): boolean {
  const policy = loadPolicy(readFileSync(policyFile, 'utf8'));
  const all = parseEnvironments(readFileSync(environmentsFile, 'utf8'));
  const chosen = [...all].filter(([name]) => only === undefined || name === only);
  if (chosen.length === 0)
    throw new EnvironmentsError(`no environment ${only} in ${environmentsFile}: add an entry for it`);
  let agreed = true;
  for (const [name, environment] of chosen) {
    const missing = missingRoles(policy, environment);
    for (const problem of missing) console.error(`${name}: ${problem}`);
    for (const id of needlessAccounts(policy, environment))
      console.error(`${name}: note: roles are given on ${id}, which the policy does not name`);
    if (missing.length > 0) agreed = false;
    else console.log(`${name}: the policy has every role it needs, ${policy.resources.length} resources`);
  }
  return agreed;
}
