/**
 * `node test/flows/alerts.ts [--hours 24] [--step 300]`: virtual hours of a local mode with rotations and exchanges,
 * without a fault, in which no alert is raised. Exit 1 where one is.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { readCommandLine } from '../../src/command-line.ts';
import { type Alert, isRaised, tablesOf } from './alert-rows.ts';
import { type Stack, startStack } from './stack.ts';

export function alertsOf({ description }: Stack): readonly Alert[] {
  const text = readFileSync(new URL('../../infra/alerts.json', import.meta.url), 'utf8');
  const { issuer, rotator } = description.environment;
  const readers = [issuer['BROKER_ISSUER_IDENTITY'], rotator['BROKER_ROTATOR_IDENTITY']];
  return (JSON.parse(text) as Alert[]).map((alert) => ({
    ...alert,
    query: alert.query.replace('READERS', readers.map((id) => `"${id}"`).join(', ')),
  }));
}

/** The names of those that Azure would have raised by now. */
export async function raised(stack: Stack): Promise<readonly string[]> {
  const { tables, nowMs } = await tablesOf(stack);
  return alertsOf(stack)
    .filter((alert) => isRaised(alert, tables, nowMs))
    .map(({ name }) => name);
}

export async function quietHours(
  hours: number,
  stepSeconds: number,
): Promise<{
  readonly raised: ReadonlyMap<string, number>;
  readonly exchanges: number;
  readonly rotations: number;
}> {
  await using stack = await startStack();
  await stack.warm();
  const found = new Map<string, number>();
  let exchanges = 0;
  const token = async (who: string) => stack.callerToken(who);
  for (let passed = 0; passed < hours * 3600; passed += stepSeconds) {
    const ticks = ended(stack);
    await stack.control('POST', '/clock', { advanceSeconds: stepSeconds });
    // The timers of this step have run: two of the rotator's.
    for (let left = 200; ended(stack) < ticks + 2 && left > 0; left -= 1) await wait(25);
    for (const [who, target] of [
      ['captions', 'speech'],
      ['translations', 'translator'],
      ['ada', 'chat'],
    ] as const) {
      const { status } = await stack.exchange(await token(who), target);
      if (status === 200) exchanges += 1;
    }
    // One who is refused now and then is nothing to be woken for.
    if (passed % 3600 === 0) await stack.exchange(await token('captions'), 'chat');
    for (const name of await raised(stack)) found.set(name, (found.get(name) ?? 0) + 1);
  }
  const rotations = stack.log().match(/ rotation resource=\w+ .*to=steady/g)?.length ?? 0;
  return { raised: found, exchanges, rotations };
}
const ended = (stack: Stack): number =>
  stack.log().match(/Executed 'Functions\.(rotate|reconcile)' \(/g)?.length ?? 0;

if (import.meta.main) {
  const usage = `node test/flows/alerts.ts [options]

  --hours N   virtual hours (default 24)
  --step N    seconds of them between two looks (default 300)`;
  const { values } = readCommandLine(usage, {
    options: { hours: { type: 'string', default: '24' }, step: { type: 'string', default: '300' } },
  });
  const { raised: found, exchanges, rotations } = await quietHours(Number(values.hours), Number(values.step));
  console.log(
    `${values.hours} virtual hours, ${exchanges} exchanges granted, ${rotations} times steady again`,
  );
  for (const [name, times] of found) console.log(`${name}: raised at ${times} looks`);
  console.log(`${found.size} alerts raised`);
  if (found.size > 0) process.exitCode = 1;
}
