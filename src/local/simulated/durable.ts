import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/**
 * Replaces the file in one step: a process killed between any two lines leaves the old content or the new,
 * never half of one. Readable by the owner only, because the simulated vault and accounts hold keys.
 */
export function saveJson(path: string, value: unknown): void {
  const draft = `${path}.draft`;
  writeFileSync(draft, JSON.stringify(value), { mode: 0o600 });
  renameSync(draft, path);
}

/** What was saved, or `undefined` where nothing ever was. Throws on a file that cannot be read or parsed. */
export function loadJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
