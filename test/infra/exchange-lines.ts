/** What the token endpoint logs of exchanges that come at once: lines of their own for the first, and one that counts the rest. */
import { createExchangeLog, type Outcome } from '../../src/http/exchange-log.ts';
import { createLog } from '../../src/log.ts';

/** @param time of the day that the lines get */
export async function exchangeLines(
  time: string,
  exchanges: readonly (readonly [Outcome, tookMs: number])[],
): Promise<string> {
  const written = Promise.withResolvers<string>();
  // It gathers the lines of a moment, and all are of one.
  const log = createLog(written.resolve);
  const later: (() => void)[] = [];
  const exchanged = createExchangeLog({ log, nowMs: () => 0, later: (_, work) => later.push(work) });
  for (const [outcome, tookMs] of exchanges) exchanged(outcome, tookMs, { reason: 'a test' });
  for (const tell of later) tell();
  return (await written.promise).replace(/^(?=.)/gm, `${time} `);
}
