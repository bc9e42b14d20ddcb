/**
 * What people do to accounts, secrets and the policy, done to a local mode with three instances while callers
 * exchange and use tokens: `node test/flows/live-cases.ts --seed 1`.
 *
 * An exchange fails that is neither granted nor allowed to be refused at that time (live-callers.ts). A token
 * fails that its account refuses before its end.
 */
import { readCommandLine } from '../../src/command-line.ts';
import { createChance } from '../simulation/random.ts';
import { ACCOUNTS, type Counts, startCallers } from './live-callers.ts';
import { accountCreatedAgain, blockReplayed, secretDeleted } from './live-hand-cases.ts';
import { renameDuringDrain, staleAfterPromotion } from './live-rotation-cases.ts';
import { instancePids, type Scene } from './live-scene.ts';
import { NO_TIMER, rotationOf } from './rotation-hand.ts';
import { type Stack, startStack } from './stack.ts';

/** In this order: the account that was created again has lost its settings. */
const CASES = {
  'a resource is renamed during its drain': renameDuringDrain,
  'the vault is stale after a promotion': staleAfterPromotion,
  'a secret is deleted and recovered': secretDeleted,
  'an account is deleted and created again': accountCreatedAgain,
  "a lifted block's event comes again": blockReplayed,
} as const;
type CaseName = keyof typeof CASES;

interface CaseReport extends Counts {
  readonly name: CaseName;
  readonly failures: readonly string[];
  readonly seen: string;
}

export async function liveCases(names: readonly CaseName[], seed: number): Promise<readonly CaseReport[]> {
  await using stack = await startStack(['--instances', '3'], NO_TIMER);
  const chance = createChance(seed);
  const rotation = rotationOf(stack);
  const { instances } = stack.description;
  const tick = (instance = chance.pick([instances[0] ?? '', ...instances])) => rotation.tick([instance]);
  // The worst that Azure may do: tokens end with their key, and an old key is forgotten at once.
  for (const name of ['speech', 'translator'])
    await stack.control('PUT', `/accounts/${name}`, { tokensEndWithKey: true });
  await tick();
  await warmAll(stack);
  const callers = await startCallers(stack, chance);
  const scene: Scene = { stack, callers, rotation, chance, pids: instancePids(stack), tick };
  const reports: CaseReport[] = [];
  try {
    for (const name of names) {
      const before = { ...callers.counts };
      const failedBefore = callers.failures.length;
      const seen = await CASES[name](scene).catch((error: unknown) => {
        callers.fail(String(error));
        return 'ended early';
      });
      const counts = difference(callers.counts, before);
      reports.push({ name, seen, failures: callers.failures.slice(failedBefore), ...counts });
    }
  } finally {
    await callers.stop();
  }
  return reports;
}

function difference(after: Counts, before: Counts): Counts {
  return {
    exchanges: after.exchanges - before.exchanges,
    failed: after.failed - before.failed,
    unavailable: after.unavailable - before.unavailable,
    refused: after.refused - before.refused,
    uses: after.uses - before.uses,
    elsewhere: after.elsewhere - before.elsewhere,
  };
}

/** A first exchange loads what the later ones use: on a machine that is busy elsewhere it may take too long. */
async function warmAll(stack: Stack): Promise<void> {
  await stack.warm();
  for (const broker of stack.description.instances)
    for (const [account, caller] of Object.entries(ACCOUNTS)) {
      const token = await stack.callerToken(caller);
      let tries = 0;
      while ((await stack.exchange(token, account, {}, broker)).status !== 200) {
        tries += 1;
        if (tries > 20) throw new Error(`${broker} does not answer:\n${stack.log().slice(-2000)}`);
      }
    }
}

if (import.meta.main) {
  const names = Object.keys(CASES) as CaseName[];
  const usage = `node test/flows/live-cases.ts [--seed N] [--case N]

  --seed N  of which instance does what when (default 1)
  --case N  only this one, from 1 to ${names.length}`;
  const { values } = readCommandLine(usage, {
    options: { seed: { type: 'string', default: '1' }, case: { type: 'string' } },
  });
  const wanted =
    values.case === undefined ? names : names.slice(Number(values.case) - 1, Number(values.case));
  const reports = await liveCases(wanted, Number(values.seed));
  console.table(reports.map(({ failures: _, ...report }) => report));
  for (const { name, failures } of reports)
    for (const failure of failures.slice(0, 20)) console.log(`${name}: ${failure}`);
  if (reports.some(({ failed }) => failed > 0)) process.exitCode = 1;
}
