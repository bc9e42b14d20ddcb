/** The processes that exchange, with the real mint and freshness, and those who use what they got to its last moment. */
import { slotsOf } from '../../src/account-key.ts';
import { createFreshness } from '../../src/exchange/freshness.ts';
import { mint } from '../../src/exchange/mint.ts';
import { ledgerOver, stateOver, stsOver, vaultOver } from './ports.ts';
import { MINUTE_MS, type Scene, START_MS } from './scene.ts';

export function startCallers(scene: Scene): void {
  const { chance, timeline, judge, isEager, resource } = scene;
  const stsIsOffMs = chance.between(-25_000, 25_000);
  for (let callers = isEager ? 1 : chance.between(1, 3); callers > 0; callers -= 1) {
    const buy = buyer(scene, stsIsOffMs);
    if (!isEager) {
      const again = async (): Promise<void> => {
        const pauseMs = (await buy()) ? chance.between(1, 9) * MINUTE_MS : chance.between(5, 60) * 1000;
        timeline.at(timeline.now() + pauseMs, () => void again());
      };
      timeline.at(START_MS + chance.between(0, 10 * MINUTE_MS), () => void again());
      continue;
    }
    // Seldom enough that no earlier token holds up the drain.
    const buyAround = (ms: number): void => {
      if (chance.is(0.8)) timeline.at(ms + chance.between(-3_000, 5_000), () => void buy());
    };
    scene.onPromotion = buyAround;
    scene.onDeed = () => buyAround(timeline.now() + 3_000);
  }
  judge.watchCurrentKey(chance);
  const [consumer] = resource.rotation?.consumers ?? [];
  if (consumer?.kind === 'application') judge.watchConsumer(consumer.within, chance);
}

/** @returns a purchase whose token is used twice in its life and once in its last millisecond; false: an outage */
function buyer({ chance, timeline, judge, isEager, newProcess, way, resource }: Scene, stsIsOffMs: number) {
  const isSlow = isEager || chance.is(0.5);
  const process = newProcess('exchange', { isSlow, readsLateMs: chance.pick([0, 0, 10_000]) });
  const over = way(process);
  const freshness = createFreshness(stateOver(over), process.clock, 0);
  const ports = {
    vault: vaultOver(over),
    sts: stsOver(over, stsIsOffMs),
    ledger: ledgerOver(over),
    slotsNow: async () => slotsOf((await freshness.now()).slots, resource),
    clock: process.clock,
    sleep: timeline.sleep,
    instance: process.name,
  };
  return async (): Promise<boolean> => {
    try {
      const { token, expiresAtMs } = await mint(ports, resource, 'https://sim.invalid');
      const lifeMs = expiresAtMs - process.clock();
      judge.onToken(token, lifeMs);
      for (const part of [chance.next(), chance.next(), 1]) {
        const useMs = timeline.now() + Math.max(0, Math.floor(lifeMs * part) - 1);
        timeline.at(useMs, () => judge.useToken(token));
      }
      return true;
    } catch (error) {
      judge.outageOnly(error);
      return false;
    }
  };
}
