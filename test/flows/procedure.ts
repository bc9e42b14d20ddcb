/**
 * The procedure for two keys (use key 2, regenerate key 1, use key 1, regenerate key 2), begun in each of the three
 * ways, with both apps: `node test/flows/procedure.ts --seed 1`. The timer begins it when it is due, an operator by a
 * demand, and the event of a leaked key begins the half of it that replaces that key. Meanwhile callers exchange at both
 * issuer instances and use their tokens, and a consumer uses the vault's current key after every jump of the time.
 */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { readCommandLine } from '../../src/command-line.ts';
import { createChance } from '../simulation/random.ts';
import { demandScene } from './demand-scene.ts';
import { ACCOUNTS, startCallers } from './live-callers.ts';
import { callWithVaultKey, VAULT_SCOPE } from './rotation-load.ts';
import { startStack } from './stack.ts';
import { writeTrialPolicy } from './trial-policy.ts';

const WAYS = ['timer', 'operator', 'leaked key'] as const;
type Way = (typeof WAYS)[number];

export interface Procedure {
  readonly begun: Way;
  /** What was done to the account and its secret, in this order. */
  readonly did: string;
  readonly byIssuer: number;
  readonly exchanges: number;
  readonly uses: number;
  readonly keyCalls: number;
  readonly failures: readonly string[];
  readonly unavailable: number;
  readonly virtualMinutes: number;
}

/** Promote the other key, regenerate; and once more. A leak is an emergency of one slot. */
export const WANTED: Readonly<Record<Way, string>> = {
  timer: 'promote regenerate promote regenerate',
  operator: 'promote regenerate promote regenerate',
  'leaked key': 'promote regenerate',
};
const NAME = 'speech';
const PERIOD = '4h';
const PERIOD_SECONDS = 4 * 3600;
const MAX_JUMPS = 150;
/** A tick that the jump has set off is over by then, or goes on during the next one. */
const TICK_MS = 300;
const PAUSE_MS = 300;
const VERBS: Readonly<Record<string, string>> = { setSecret: 'promote', regenerateKey: 'regenerate' };

export async function procedures(seed: number, ways: readonly Way[] = WAYS): Promise<readonly Procedure[]> {
  using policy = writeTrialPolicy(
    [
      { name: 'speech', kind: 'SpeechServices', grant: ACCOUNTS.speech },
      { name: 'translator', kind: 'TextTranslation', grant: ACCOUNTS.translator },
    ],
    Date.now(),
    PERIOD,
  );
  const timer = { BROKER_ROTATION_SCHEDULE: '0 * * * * *' };
  await using stack = await startStack(['--instances', '2', '--policy', policy.file], timer);
  await stack.control('PUT', `/accounts/${NAME}`, { tokensEndWithKey: true });
  const scene = demandScene(stack);
  await scene.tick();
  await stack.warm();
  const chance = createChance(seed);
  const callers = await startCallers(stack, chance, PAUSE_MS);
  const [broker = ''] = stack.description.instances;
  const secret = stack.description.resources.find(({ name }) => name === NAME)?.secret;
  const rotator = stack.description.environment.rotator['BROKER_ROTATOR_IDENTITY'];

  const begin: Readonly<Record<Way, () => Promise<void>>> = {
    timer: () => callers.jump(PERIOD_SECONDS - 600),
    operator: async () => {
      assert.equal(await scene.place(broker, NAME, { reason: 'by hand' }), 202);
    },
    'leaked key': async () => {
      callers.allow(NAME, 'gone');
      assert.equal(await scene.leak(broker, await scene.leakOf(NAME)), 202);
    },
  };
  async function run(begun: Way): Promise<Procedure> {
    await callers.rounds(2);
    const before = { ...callers.counts, failures: callers.failures.length, atMs: callers.now() };
    const { last } = await scene.requests(Number.MAX_SAFE_INTEGER);
    let keyCalls = 0;
    const consume = async (): Promise<void> => {
      const token = await stack.callerToken('operator', VAULT_SCOPE);
      const status = await callWithVaultKey(stack, NAME, token);
      keyCalls += 1;
      if (status !== 200) callers.fail(`the vault's current key is answered ${status}`);
    };
    await begin[begun]();
    const changes = async () =>
      (await scene.requests(last)).requests.filter(
        ({ operation, resource, status }) =>
          (resource === NAME || resource === secret) && status === 200 && operation in VERBS,
      );
    const isOver = async (): Promise<boolean> =>
      (await changes()).length >= WANTED[begun].split(' ').length &&
      (await scene.sight(NAME)).state.work === undefined;
    for (let jumps = 0; !(await isOver()) && jumps < MAX_JUMPS; jumps += 1) {
      await callers.rounds(1);
      await callers.jump(chance.between(45, 150));
      await wait(TICK_MS);
      await consume();
    }
    await consume();
    if (begun === 'leaked key') callers.forget(NAME);
    callers.allow(NAME, 'nothing');
    await callers.rounds(2);
    const did = await changes();
    const { counts } = callers;
    return {
      begun,
      did: did.map(({ operation }) => VERBS[operation]).join(' '),
      byIssuer: did.filter(({ by }) => by !== rotator).length,
      exchanges: counts.exchanges - before.exchanges,
      uses: counts.uses - before.uses,
      keyCalls,
      failures: callers.failures.slice(before.failures),
      unavailable: counts.unavailable - before.unavailable,
      virtualMinutes: Math.round((callers.now() - before.atMs) / 60_000),
    };
  }

  const done: Procedure[] = [];
  try {
    for (const way of ways) done.push(await run(way));
  } finally {
    await callers.stop();
  }
  return done;
}

if (import.meta.main) {
  const usage = `node test/flows/procedure.ts [--seed N]

  --seed N  of how far time jumps, and of which instance is asked (default 1)`;
  const { values } = readCommandLine(usage, { options: { seed: { type: 'string', default: '1' } } });
  const done = await procedures(Number(values.seed));
  console.table(done.map(({ failures, ...rest }) => ({ ...rest, failed: failures.length })));
  for (const { failures } of done) for (const failure of failures.slice(0, 10)) console.log(failure);
  if (
    done.some(({ begun, did, failures, byIssuer }) => failures.length + byIssuer > 0 || did !== WANTED[begun])
  )
    process.exitCode = 1;
}
