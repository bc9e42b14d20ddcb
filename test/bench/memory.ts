/** What the broker's process takes up while it exchanges as fast as it can. */
import { DISTINCT_CALLERS, load } from './load.ts';
import { startStack } from './stack.ts';

const SECONDS = 15;
const SAMPLE_MS = 250;

export async function memoryBench(): Promise<{ rssMb: number; exchanges: number }> {
  const stack = await startStack();
  try {
    const bodies = await stack.bodies('captions', 'speech', DISTINCT_CALLERS);
    const samples: number[] = [];
    const sampling = setInterval(() => samples.push(stack.residentMiB()), SAMPLE_MS);
    try {
      const { count } = await load({ url: stack.tokenUrl, bodies }, { seconds: SECONDS });
      return { rssMb: Math.max(...samples, stack.residentMiB()), exchanges: count };
    } finally {
      clearInterval(sampling);
    }
  } finally {
    await stack.stop();
  }
}
