/**
 * `npm run policy:apply -- --policy FILE --broker URL --reason TEXT`: the step of `.github/workflows/policy.yml` after
 * a merge. The token of the pipeline's identity is in BROKER_TOKEN and is never printed. Exit 1 where the broker refuses, 3 where it is out of reach.
 */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isBrokerUrl } from '../src/broker-url.ts';
import { readCommandLine, wrongUsage } from '../src/command-line.ts';
import { loadPolicy, PolicyError } from '../src/policy/load.ts';
import { uncoveredAccounts } from './agree.ts';
import { parseEnvironments } from './environments.ts';
import { historyOf } from './policy-history.ts';
import { putPolicy } from './put-policy.ts';

const usage = `npm run policy:apply -- --policy FILE --broker URL --reason TEXT
                        with the token of the pipeline in BROKER_TOKEN

  --policy FILE         in a clone with its history: only what came from there
                        is replaced
  --broker URL          the address of the broker
  --reason TEXT         for the record, such as the subject of the commit
  --commit SHA          where it comes from, for the record
  --confirm NAMES       what the broker asks to be confirmed, with commas
  --replace VERSION     the version in force, where it came from elsewhere
  --environments FILE   names the roles that the apps do not have yet
  --environment NAME    the entry of it

Exit code 1 where it was refused, 3 where the broker is out of reach.`;
const { values } = readCommandLine(usage, {
  options: {
    policy: { type: 'string' },
    broker: { type: 'string' },
    reason: { type: 'string' },
    commit: { type: 'string' },
    confirm: { type: 'string', default: '' },
    replace: { type: 'string', default: '' },
    environments: { type: 'string' },
    environment: { type: 'string' },
  },
});
const { policy: file, broker, reason } = values;
const token = process.env['BROKER_TOKEN'];
if (file === undefined || broker === undefined || reason === undefined)
  wrongUsage(usage, '--policy, --broker and --reason are needed');
if (!isBrokerUrl(broker)) wrongUsage(usage, '--broker: an https URL (http is for this machine alone)');
if (token === undefined || token === '') wrongUsage(usage, 'BROKER_TOKEN is empty');

const text = readFileSync(file, 'utf8');
for (const line of rolesLacking()) console.log(line);
const { kind, lines } = await putPolicy(
  {
    broker,
    token,
    text,
    reason,
    commit: values.commit,
    confirm: values.confirm.split(',').flatMap((name) => name.trim() || []),
    replace: values.replace === '' ? undefined : values.replace,
  },
  { fetch, sleep: (ms) => sleep(ms), history: () => historyOf(file) },
);
for (const line of lines) console[kind === 'in force' ? 'log' : 'error'](line);
process.exitCode = { 'in force': 0, refused: 1, 'out of reach': 3 }[kind];

/** Account by account. What has no role yet is no reason to hold a policy back: a role takes minutes to work. */
function rolesLacking(): string[] {
  const { environments, environment: name } = values;
  if (environments === undefined || !existsSync(environments)) return [];
  const environment = parseEnvironments(readFileSync(environments, 'utf8')).get(name ?? '');
  if (environment === undefined) wrongUsage(usage, `--environment must name an entry of ${environments}`);
  try {
    return uncoveredAccounts(loadPolicy(text), environment).flatMap(({ resource, accountId, lacks }) =>
      lacks.map((what) => `no role yet, ${resource} (${accountId}): ${what}`),
    );
  } catch (error) {
    // The broker names every problem.
    if (error instanceof PolicyError) return [];
    throw error;
  }
}
