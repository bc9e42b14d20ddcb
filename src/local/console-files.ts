/** The console's files, made from the sources at each start. */
import { join } from 'node:path';

/** @returns the folder */
export async function buildConsoleIn(dataFolder: string): Promise<string> {
  const folder = join(dataFolder, 'console');
  // The bundler is loaded while other processes start.
  const [{ buildConsole }, esbuild] = await Promise.all([
    import('../../infra/build-console.ts'),
    import('esbuild'),
  ]);
  await buildConsole(folder);
  // It has a process of its own, which is not needed any more.
  await esbuild.stop();
  return folder;
}
