/**
 * One app folder in the embedded host, in a process of its own whose working folder is the app's, as the real
 * worker has it. Tells its URL to the parent, when asked how much processor time it used, and ends with it.
 */
import { startHost } from '../../src/local/host/host.ts';

const host = await startHost({
  appFolder: process.cwd(),
  port: 0,
  log: (line) => process.stderr.write(`${line}\n`),
  now: () => Date.now(),
  sleepUntil: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, ms - Date.now()));
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    }),
  timers: process.argv.includes('--timers'),
});
if (host.loadError !== undefined) throw host.loadError;
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicros: user + system });
});
process.on('disconnect', () => process.exit());
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }));
process.send?.({ url: host.url, functions: host.functions });
