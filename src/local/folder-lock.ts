/**
 * A data folder has one owner at a time. The lock is the operating system's own, so it ends with the process,
 * after `kill -9` too, and a process that happens to get the dead owner's id is not mistaken for it. Node has
 * no call for such locks; the SQLite that comes with it takes them on Linux, macOS and Windows.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/** Two starts at the same moment can each find the other in the middle of its attempt; one of them gets it by waiting. */
const MAX_COLLISION_MS = 500;

/** Kept for as long as the lock is wanted: what nobody refers to is closed. */
export interface Lock {
  release(): void;
}

/**
 * @param maxWaitMs for an owner that is about to end; nothing else runs in this process meanwhile
 * @returns undefined when another process has it
 */
export function lockFile(path: string, maxWaitMs = 0): Lock | undefined {
  const file = new DatabaseSync(path, { timeout: maxWaitMs });
  try {
    // Nothing is ever written, so no journal file is needed, and a killed owner leaves none.
    file.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return { release: () => file.close() };
  } catch (error) {
    file.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
}

/**
 * @param nowMs when this process took it, for whoever is refused
 * @throws Error that says who has the folder, and since when
 */
export function lockFolder(folder: string, nowMs: number): Lock {
  const ownerFile = join(folder, 'owner.json');
  const lock = lockFile(join(folder, 'folder.lock'), MAX_COLLISION_MS);
  if (lock === undefined) throw new Error(`--data: ${folder} is in use by ${ownerIn(ownerFile)}`);
  writeFileSync(ownerFile, JSON.stringify({ pid: process.pid, since: new Date(nowMs).toISOString() }));
  return {
    release() {
      rmSync(ownerFile, { force: true });
      lock.release();
    },
  };
}

const owner = z.object({ pid: z.number(), since: z.string() });

/** For people only. An owner of this very moment may not have written it yet. */
function ownerIn(file: string): string {
  try {
    const { pid, since } = owner.parse(JSON.parse(readFileSync(file, 'utf8')));
    return `process ${pid} since ${since}`;
  } catch {
    return 'a process that is just starting';
  }
}
