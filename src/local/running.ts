/**
 * How a command finds the local mode that is running: each one leaves a small file, named by its process id, that
 * holds the path of its description. The description itself, with the demo callers' secrets, stays where it was.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** One folder for each person: on a shared machine nobody else's file is believed. */
const folder = (): string => join(tmpdir(), `ai-token-broker-running-${userInfo().username}`);

/** @param description the path of the description file; forgotten again when this process ends */
export function announce(description: string): void {
  mkdirSync(folder(), { recursive: true, mode: 0o700 });
  const file = join(folder(), String(process.pid));
  writeFileSync(file, description, { mode: 0o600 });
  process.once('exit', () => rmSync(file, { force: true }));
}

/** The description files of the local modes that run now; what a killed one left is removed. */
export function findRunning(): string[] {
  if (!existsSync(folder()) || !isOurs(folder())) return [];
  return readdirSync(folder()).flatMap((pid) => {
    const file = join(folder(), pid);
    const description = readFileSync(file, 'utf8');
    if (isAlive(Number(pid)) && existsSync(description)) return [description];
    rmSync(file, { force: true });
    return [];
  });
}

function isOurs(path: string): boolean {
  const { uid } = userInfo();
  return uid === -1 || statSync(path).uid === uid;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
