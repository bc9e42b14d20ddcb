/**
 * `npm run check [-- --policy FILE] [--against FILE] [--environments FILE] [--environment NAME]
 * [--publishers FILE]`: before a deployment, is the policy valid, and does the environment give the broker every role that the policy needs? Exit 1
 * when not. Without a policy each environment is checked with its own; with one, the environments that have accounts of it.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCommandLine } from '../src/command-line.ts';
import { changesInWords } from '../src/policy/changes.ts';
import { loadPolicy, PolicyError } from '../src/policy/load.ts';
import type { Policy } from '../src/policy/schema.ts';
import { policyWarnings } from '../src/policy/warnings.ts';
import { directoryProblems, hasAccountOf, missingRoles, needlessAccounts, rotatedTwice } from './agree.ts';
import { type Environment, EnvironmentsError, parseEnvironments } from './environments.ts';
import { placeholders } from './placeholders.ts';
import { peopleWhoPublish } from './publishers.ts';

const usage = `npm run check -- [options]

  --policy FILE         only this policy, against the environments that have
                        accounts of it (default: each environment with the
                        policy that it names)
  --against FILE        also says who may have a kind of token for a resource
                        and could not under this policy, or could and may not;
                        exact, for every possible caller
  --environments FILE   who has which role on which account
                        (default infra/environments.json)
  --environment NAME    only this entry of it
  --publishers FILE     warns of people who hold the app role Broker.Publisher:
                        what infra/app-registration.sh publishers prints
                        (- reads it from the standard input)
  --allow-placeholders  do not refuse the ids with which this repository is
                        shipped (for its own pipeline)

Says every problem of the policy; of a policy without any, every role that it
needs and an environment does not give. Exit code 1 when there is one.`;
const { values } = readCommandLine(usage, {
  options: {
    policy: { type: 'string' },
    against: { type: 'string' },
    environments: { type: 'string', default: join(import.meta.dirname, 'environments.json') },
    environment: { type: 'string' },
    publishers: { type: 'string' },
    'allow-placeholders': { type: 'boolean', default: false },
  },
});

try {
  process.exitCode = check() ? 0 : 1;
} catch (error) {
  if (!(error instanceof PolicyError || error instanceof EnvironmentsError || isUnreadable(error)))
    throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function check(): boolean {
  const all = load(values.environments, parseEnvironments);
  const fights = rotatedTwice(all);
  for (const fight of fights) console.error(fight);
  if (values.publishers !== undefined)
    for (const warning of peopleWhoPublish(textOf(values.publishers))) console.error(`warning: ${warning}`);
  const before = values.against === undefined ? undefined : load(values.against, loadPolicy);
  const agreed = chosen(all).map(([name, environment, policy]) => {
    if (before !== undefined) {
      const changes = changesInWords(before, policy);
      for (const change of changes.length > 0 ? changes : ['the two say the same'])
        console.log(`${name}: ${change}`);
    }
    for (const warning of policyWarnings(policy)) console.error(`${name}: warning: ${warning}`);
    if (environment.alertEmails.length === 0)
      console.error(`${name}: warning: alertEmails is empty: alerts are seen in the portal only`);
    const problems = [...missingRoles(policy, environment), ...directoryProblems(policy, environment)];
    if (!values['allow-placeholders'])
      problems.push(
        ...placeholders(policy).map((problem) => `policy ${problem}`),
        ...placeholders(environment).map((problem) => `environment ${problem}`),
      );
    for (const problem of problems) console.error(`${name}: ${problem}`);
    for (const id of needlessAccounts(policy, environment))
      console.error(`${name}: note: roles are given on ${id}, which the policy does not name`);
    if (problems.length === 0)
      console.log(`${name}: the policy has every role it needs, ${policy.resources.length} resources`);
    return problems.length === 0;
  });
  return fights.length === 0 && agreed.every(Boolean);
}

/** Which environment is checked with which policy. */
function chosen(all: ReadonlyMap<string, Environment>): [string, Environment, Policy][] {
  const { policy: file, environment: only } = values;
  const named = [...all].filter(([name]) => only === undefined || name === only);
  if (named.length === 0) throw new EnvironmentsError(`${values.environments}: no entry ${only}`);
  if (file === undefined) {
    const folder = dirname(values.environments);
    return named.map(([name, one]) => [name, one, load(join(folder, one.policy), loadPolicy)]);
  }
  const policy = load(file, loadPolicy);
  const concerned = named.filter(([, one]) => hasAccountOf(policy, one));
  return (concerned.length > 0 ? concerned : named).map(([name, one]) => [name, one, policy]);
}

function load<T>(file: string, parse: (text: string) => T): T {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof PolicyError || error instanceof EnvironmentsError)
      error.message = `${file}: ${error.message}`;
    throw error;
  }
}

function textOf(file: string): string {
  return readFileSync(file === '-' ? process.stdin.fd : file, 'utf8');
}

/** Its message names the file: somebody mistyped it. */
function isUnreadable(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'path' in error;
}
