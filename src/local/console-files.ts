/** The console's files, made from the sources at each start. */
import { join } from 'node:path';

/** @returns the folder */
export async function buildConsoleIn(dataFolder: string): Promise<string> {
  const folder = join(dataFolder, 'console');
  // The bundler is loaded while other processes start.
  const { buildConsole } = await import('../../infra/build-console.ts');
  await buildConsole(folder);
  return folder;
}
