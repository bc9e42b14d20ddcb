/** The instances that exchange, with the real exchange, its caches and the real mint, and what their callers do with a token. */
import { slotsOf } from '../../src/account-key.ts';
import { createExchange } from '../../src/exchange/exchange.ts';
import { createFreshness } from '../../src/exchange/freshness.ts';
import { createObtain } from '../../src/exchange/obtain.ts';
import { createTokens } from '../../src/exchange/tokens.ts';
import { Secret } from '../../src/secret.ts';
import type { Account } from './account.ts';
import { stsOver, vaultOver } from './azure.ts';
import { CALLER, endpointOf, type PolicyVersion } from './policies.ts';
import { MINUTE_MS, type Scene, START_MS } from './scene.ts';
import { ledgerOver, stateOver } from './tables.ts';

/** False: an outage, or the policy does not know the account now. */
type Call = (account: Account) => Promise<boolean>;

export function startCallers(scene: Scene): void {
  const { chance, timeline, isEager, isCalm, judges, first, policies } = scene;
  const stsIsOffMs = chance.between(-30_000, 30_000);
  if (isEager) callAtTheWorstMoment(scene, stsIsOffMs);
  else {
    for (let places = chance.between(1, 3); places > 0; places -= 1) {
      const isSlow = !isCalm && chance.is(0.5);
      const call = startInstance(scene, stsIsOffMs, isSlow);
      const again = async (): Promise<void> => {
        const isServed = await call(scene.pickAccount());
        const pauseMs = isServed ? chance.between(1, 9) * MINUTE_MS : chance.between(5, 60) * 1000;
        timeline.at(timeline.now() + pauseMs, () => void again());
      };
      timeline.at(START_MS + chance.between(0, 10 * MINUTE_MS), () => void again());
    }
  }
  for (const { keys } of judges.values()) keys.watchCurrentKey(chance);
  const [consumer] = policies.of(first)?.rotation?.consumers ?? [];
  if (consumer?.kind === 'application') scene.judgeOf(first).keys.watchConsumer(consumer.within, chance);
}

/** By an instance that has just started, so that nothing is cached; seldom enough that no earlier token holds up the drain. */
function callAtTheWorstMoment(scene: Scene, stsIsOffMs: number): void {
  const { chance, timeline, first } = scene;
  const callAround = (ms: number): void => {
    if (!chance.is(0.8)) return;
    const atMs = ms + chance.between(-3_000, 5_000);
    timeline.at(atMs, () => void startInstance(scene, stsIsOffMs, true)(first));
  };
  scene.onPromotion = callAround;
  scene.onDeed = () => callAround(timeline.now() + 3_000);
}

const nameIn = ({ resources }: PolicyVersion, account: Account): string | undefined =>
  resources.find(({ accountId }) => accountId === account.id)?.name;

const MINIMUM_LIFE_MS = 60_000;
const SUBJECT_TOKEN = new Secret('the caller is known');

function startInstance(scene: Scene, stsIsOffMs: number, isSlow: boolean): Call {
  const { timeline, cloud, wire, verdict, policies } = scene;
  const process = scene.newProcess('exchange', isSlow);
  const { clock, name: instance } = process;
  const way = scene.way(process);
  const state = stateOver(way, scene.onBump, () => policies.inForce.rules.version);
  const freshness = createFreshness(state, async (version) => policies.rulesOf(version), clock, 0);
  const write = (what: string) => wire.call(process, 'tables', what, () => undefined, true);
  const accountAt = (host: string): Account => {
    const found = cloud.accounts.find(({ name }) => endpointOf(name) === host);
    if (found === undefined) throw new Error(`no account at ${host}`);
    return found;
  };
  const notHere = (): never => {
    throw new Error('only key-exchange tokens are simulated');
  };
  const obtain = createObtain({
    vault: vaultOver(way),
    sts: stsOver(way, accountAt, stsIsOffMs),
    ledger: ledgerOver(way),
    slotsNow: async (resource) => slotsOf((await freshness.now()).slots, resource),
    entra: { byApplication: notHere, byManagedIdentity: notHere, onBehalfOf: notHere },
    issued: { record: () => write('record token'), find: async () => undefined },
    clock,
    sleep: timeline.sleep,
    instance,
  });
  const exchange = createExchange({
    verify: async () => ({ ...CALLER, token: SUBJECT_TOKEN }),
    freshness,
    revokedBy: () => undefined,
    isDropped: () => false,
    tokens: createTokens(obtain, clock, MINIMUM_LIFE_MS, timeline.sleep),
    rate: { take: () => 0, giveBack: () => undefined },
    refusedStranger: () => undefined,
    audit: { append: () => write('append audit') },
    clock,
    instance,
    minimumLifeMs: MINIMUM_LIFE_MS,
  });
  const request = { subjectToken: '', tokenKind: undefined, scope: undefined };

  return async (account) => {
    const target = policies.of(account)?.name;
    if (target === undefined) return false;
    const { calls } = scene.judgeOf(account);
    const beganAtMs = timeline.now();
    try {
      const answer = await exchange({ ...request, target }, '');
      const may = policies.between(beganAtMs);
      if (!('token' in answer)) {
        // Under one of the versions of this moment it may have another name, or none.
        if (may.some((version) => nameIn(version, account) !== target)) return false;
        verdict.violated('7 outage is no decision', `the caller of ${target} is denied: ${answer.kind}`);
        return false;
      }
      if (!may.some((version) => version.resources.includes(answer.target.resource)))
        verdict.violated(
          '1 the policy in force',
          `a token for ${target} under a policy that was not in force any more when the exchange began`,
        );
      verdict.note(
        `${instance} hands out a token for ${target}, bought with ${answer.slot}, epoch ${answer.epoch}`,
      );
      const lifeMs = answer.expiresAtMs - clock();
      calls.onGranted(answer, beganAtMs, lifeMs, process.maxJumpMs, scene.chance);
      return true;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      verdict.note(`${instance} cannot serve a caller of ${target}: ${why}`);
      verdict.outageOnly(error);
      calls.onFailure(beganAtMs, why);
      return false;
    }
  };
}
