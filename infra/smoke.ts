/**
 * `npm run smoke -- --broker URL --resource NAME`: tries a deployment with a sample account. The caller's token is in
 * BROKER_TOKEN, or is asked of the Azure CLI, and is never printed.
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isBrokerUrl } from '../src/broker-url.ts';
import { readCommandLine, wrongUsage } from '../src/command-line.ts';
import { type Finding, smoke } from './smoke-checks.ts';

const usage = `npm run smoke -- --broker URL --resource NAME
                        with an Entra token for the broker in BROKER_TOKEN

  --broker URL          the address of the broker
  --resource NAME       an account that the policy lets this caller have
  --client-id ID        without BROKER_TOKEN: the broker's client id, for which
                        the Azure CLI is asked
  --path PATH           what is read from the account with the token, at no cost
                        (default: the voices of a Speech account)

Is the broker up, does it refuse what it must, does it give a token, and does
the account take that? What is not up yet is tried again for ten minutes.
Exit code 1 where something is wrong, 3 where nothing answers.`;
const { values } = readCommandLine(usage, {
  options: {
    broker: { type: 'string' },
    resource: { type: 'string' },
    'client-id': { type: 'string' },
    path: { type: 'string', default: '/tts/cognitiveservices/voices/list' },
  },
});
const { broker, resource, path } = values;
if (!broker || !resource) wrongUsage(usage, '--broker and --resource are needed');
if (!isBrokerUrl(broker)) wrongUsage(usage, '--broker: an https URL (http is for this machine alone)');

const findings = await smoke(
  { broker, resource, path, token: callerToken() },
  { fetch, sleep: (ms) => sleep(ms), now: () => performance.now() },
);
const SIGNS: Readonly<Record<Finding['kind'], string>> = {
  fine: 'ok  ',
  wrong: 'FAIL',
  'out of reach': 'FAIL',
};
for (const { kind, text } of findings) console[kind === 'fine' ? 'log' : 'error'](`${SIGNS[kind]} ${text}`);
const kinds = new Set(findings.map(({ kind }) => kind));
process.exitCode = kinds.has('wrong') ? 1 : kinds.has('out of reach') ? 3 : 0;

function callerToken(): string {
  const given = process.env['BROKER_TOKEN'];
  if (given) return given;
  const id = values['client-id'];
  if (id === undefined) return wrongUsage(usage, 'BROKER_TOKEN is empty, and there is no --client-id');
  const asked = ['account', 'get-access-token', '--resource', `api://${id}`, '--query', 'accessToken'];
  try {
    return execFileSync('az', [...asked, '--output', 'tsv'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }).trim();
  } catch {
    return wrongUsage(usage, 'the Azure CLI gives no token: az login, or set BROKER_TOKEN');
  }
}
