/** The processor time of an attack, as a multiple of a plain refusal's. */
import type { Attack } from './attack.ts';
import { type Broker, FORM } from './broker.ts';
import { instancesOf, processorMs } from './measure.ts';
import { type Sending, send } from './send.ts';

const AT_ONCE = 8;
/** Processor time is counted in hundredths of a second: fewer requests would not show. */
const MIN_REQUESTS = 400;
/** What is expensive shows in fewer. */
const MAX_MS = 2_000;
const plainRefusal: Sending = { headers: [FORM], body: 'grant_type=x' };

export interface Cost {
  /** Of one plain refusal, in µs; undefined where the system does not tell processor time. */
  readonly plainMicros: number | undefined;
  of(attack: Attack): Promise<number | undefined>;
}

export async function measureCost(broker: Broker): Promise<Cost> {
  const instances = instancesOf(broker.stack.pid);
  async function microsFor(sendings: readonly Sending[]): Promise<number | undefined> {
    const count = Math.max(MIN_REQUESTS, sendings.length);
    const before = processorMs(instances);
    const endsAtMs = performance.now() + MAX_MS;
    let next = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (next < count && performance.now() < endsAtMs) {
          const sending = sendings[next % sendings.length];
          next += 1;
          if (sending !== undefined) await send(broker.url, sending);
        }
      }),
    );
    const after = processorMs(instances);
    return before === undefined || after === undefined ? undefined : ((after - before) * 1000) / next;
  }
  await microsFor([plainRefusal]);
  const plainMicros = await microsFor(Array.from({ length: 2_000 }, () => plainRefusal));
  return {
    plainMicros,
    of: async (attack) => {
      const micros = await microsFor(await attack.send(broker));
      return micros === undefined || !plainMicros ? undefined : Math.round((micros / plainMicros) * 10) / 10;
    },
  };
}
