/** The test app in a process of its own, so that what a flood costs the host is told apart from what it costs the test. */
import { fork } from 'node:child_process';
import { once } from 'node:events';

export interface OwnProcess {
  readonly url: string;
  /** The most memory it had since this was last asked, in MB. */
  peakRssMb(): Promise<number>;
  end(): void;
}

export async function hostInOwnProcess(maxBodyBytes: number): Promise<OwnProcess> {
  const child = fork(import.meta.filename, {
    env: { ...process.env, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(maxBodyBytes) },
  });
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return {
    url,
    async peakRssMb() {
      child.send('rss');
      const [{ peakBytes }] = (await once(child, 'message')) as [{ peakBytes: number }];
      return peakBytes / 1024 / 1024;
    },
    end: () => child.disconnect(),
  };
}

if (import.meta.main) {
  const { startTestHost } = await import('./running.ts');
  const { url } = await startTestHost();
  let peakBytes = 0;
  setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }, 10);
  process.on('message', () => {
    process.send?.({ peakBytes });
    peakBytes = process.memoryUsage.rss();
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ url });
}
