/** What a busy ten minutes cost the AI services: every caller comes every minute, and time is simulated. */
import { load, type Target } from './load.ts';
import { startStack } from './stack.ts';

const CALLERS = 1_000;
const MINUTES = 10;
const AT_ONCE = 32;
/** The resources with key-exchange tokens, and who may have them. */
const ASKED = [
  { caller: 'captions', resource: 'speech' },
  { caller: 'translations', resource: 'translator' },
] as const;

export interface Upstream {
  /** The most for one resource, by one instance. */
  readonly issueTokenCalls: number;
  readonly callers: number;
  readonly minutes: number;
  readonly exchanges: number;
}

export async function upstreamBench(): Promise<Upstream> {
  await using stack = await startStack();
  const targets: Target[] = [];
  for (const wish of ASKED) targets.push(await stack.target({ ...wish, callers: CALLERS / ASKED.length }));
  for (let minute = 0; minute < MINUTES; minute += 1) {
    if (minute > 0) await stack.control('POST', '/clock', { advanceSeconds: 60 });
    for (const target of targets)
      await load(target, { connections: AT_ONCE, length: { requests: target.bodies.length } });
  }
  const { requests } = await stack.requests('sts', 0);
  const calls = ASKED.map(({ resource }) => requests.filter((each) => each.resource === resource).length);
  return {
    issueTokenCalls: Math.max(...calls),
    callers: CALLERS,
    minutes: MINUTES,
    exchanges: CALLERS * MINUTES,
  };
}
