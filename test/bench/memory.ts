/** What the broker's process takes up while it exchanges as fast as it can. */
import { DISTINCT_CALLERS, load } from './load.ts';
import type { BenchOptions } from './options.ts';
import { residentMiB, startStack } from './stack.ts';

const SAMPLE_MS = 250;

export async function memoryBench({ quick }: BenchOptions): Promise<{ rssMb: number; exchanges: number }> {
  await using stack = await startStack();
  const target = await stack.target({ caller: 'captions', resource: 'speech', callers: DISTINCT_CALLERS });
  const samples: number[] = [];
  const sampling = setInterval(() => samples.push(residentMiB(target.pid)), SAMPLE_MS);
  try {
    const { count } = await load(target, { connections: 32, length: { seconds: quick ? 2 : 15 } });
    return { rssMb: Math.max(...samples, residentMiB(target.pid)), exchanges: count };
  } finally {
    clearInterval(sampling);
  }
}
