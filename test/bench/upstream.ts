/** What a busy ten minutes cost the AI services: every caller comes every minute, and time is simulated. */
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
  const stack = await startStack();
  try {
    const bodies: string[] = [];
    for (const { caller, resource } of ASKED)
      bodies.push(...(await stack.bodies(caller, resource, CALLERS / ASKED.length)));
    for (let minute = 0; minute < MINUTES; minute += 1) {
      if (minute > 0) await stack.control('POST', '/clock', { advanceSeconds: 60 });
      await postAll(stack.tokenUrl, bodies);
    }
    const { requests } = await stack.requests('sts', 0);
    const calls = ASKED.map(({ resource }) => requests.filter((each) => each.resource === resource).length);
    return {
      issueTokenCalls: Math.max(...calls),
      callers: CALLERS,
      minutes: MINUTES,
      exchanges: bodies.length * MINUTES,
    };
  } finally {
    await stack.stop();
  }
}

async function postAll(url: string, bodies: readonly string[]): Promise<void> {
  const left = [...bodies];
  const worker = async () => {
    for (let body = left.pop(); body !== undefined; body = left.pop()) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const response = await fetch(url, { method: 'POST', headers, body });
      if (!response.ok) throw new Error(`refused: ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
