/** `npm run contract`: what the simulator claims of Azure, put to the simulator or to a real subscription. */
import { createInterface } from 'node:readline/promises';
import { readCommandLine, wrongUsage } from '../../src/command-line.ts';
import { azureTarget, COST, signedIn } from './azure-target.ts';
import { checkAll, type Result } from './claims.ts';
import { simulatedTarget } from './simulated-target.ts';

const usage = `npm run contract -- [options]

  --subscription ID  put the claims to this subscription, in a resource group of
                     its own; needs az login (default: to the simulated Azure)
  --location NAME    where its resources are made (default westeurope)
  --yes              do not ask before it begins
  --only BEGINNING   only the claims whose id begins so, such as sts
  --json             one line of JSON at the end`;

const { values } = readCommandLine(usage, {
  options: {
    subscription: { type: 'string' },
    location: { type: 'string', default: 'westeurope' },
    yes: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const { subscription, location, only } = values;
if (subscription !== undefined && !/^[0-9a-f-]{36}$/i.test(subscription))
  wrongUsage(usage, '--subscription is the id of one, as az account show --query id tells it');
if (subscription !== undefined && !values.yes) await mayBegin();

await using target = await (subscription === undefined
  ? simulatedTarget()
  : azureTarget(await signedIn(subscription, location)));
const tell = ({ verdict, id, says, saw }: Result): void =>
  console.error(`${verdict.padEnd(12)} ${id.padEnd(22)} ${says}${saw === undefined ? '' : `: ${saw}`}`);
const results = await checkAll(target, only, tell);
const count = (verdict: Result['verdict']): number =>
  results.filter((result) => result.verdict === verdict).length;
console.log(
  values.json
    ? JSON.stringify({ target: target.name, results })
    : `${results.length} claims put to ${target.name}: ${count('held')} held, ${count('broken')} broken, ${count('not testable')} not testable`,
);
if (count('broken') > 0) process.exitCode = 1;

async function mayBegin(): Promise<void> {
  console.error(COST);
  if (process.stdin.isTTY !== true) wrongUsage(usage, 'nobody is there to say yes: --yes says it');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question('Go on? [y/N] ');
  lines.close();
  if (!/^y(es)?$/i.test(answer.trim())) process.exit(1);
}
