import { zipSync } from 'fflate';

/** The first day that the format knows, as every file's time: else two builds of one commit would differ. */
const MADE = new Date(1980, 0, 1);
const UNIX = 3;
/** A regular file, `rw-r--r--`. */
const PERMISSIONS = 0o100644 * 0x10000;

/**
 * A ZIP archive whose bytes depend on the names and contents of its files alone.
 * @param files by their path in the archive, with slashes; they are put in the order of their paths
 */
export function zip(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const sorted = [...files].sort(([one], [other]) => (one < other ? -1 : 1));
  return Buffer.from(
    zipSync(Object.fromEntries(sorted), { level: 9, mtime: MADE, os: UNIX, attrs: PERMISSIONS }),
  );
}
