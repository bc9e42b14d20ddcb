/**
 * A ZIP archive whose bytes depend on the names and contents of its files alone. The tools of the operating systems
 * also write times, owners and the order of a folder, so that two builds of one commit would differ.
 */
import { crc32, deflateRawSync } from 'node:zlib';

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;
/** 2.0, with which deflated files came. */
const VERSION_NEEDED = 20;
/** The same, written on Unix: only then are the permissions read. */
const MADE_BY = (3 << 8) | VERSION_NEEDED;
const NAMES_ARE_UTF8 = 0x0800;
const DEFLATED = 8;
/** The first day that the format knows, 1980-01-01 at midnight. */
const DATE = 0x0021;
const TIME = 0;
/** A regular file, `rw-r--r--`. */
const PERMISSIONS = 0o100644 * 0x10000;

/** @param files by their path in the archive, with slashes; they are put in the order of their paths */
export function zip(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const written: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  const sorted = [...files].sort(([one], [other]) => (one < other ? -1 : 1));
  for (const [path, content] of sorted) {
    const name = Buffer.from(path);
    const data = deflateRawSync(content, { level: 9 });
    const both = bothHeaders(name, data, content);
    const local = Buffer.concat([uint32(LOCAL_HEADER), both, name, data]);
    central.push(
      Buffer.concat([
        uint32(CENTRAL_HEADER),
        uint16(MADE_BY),
        both,
        // No comment, the first disk, no internal attributes.
        Buffer.alloc(6),
        uint32(PERMISSIONS),
        uint32(offset),
        name,
      ]),
    );
    written.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const count = uint16(sorted.length);
  const end = [
    uint32(END),
    Buffer.alloc(4),
    count,
    count,
    uint32(directory.length),
    uint32(offset),
    uint16(0),
  ];
  return Buffer.concat([...written, directory, ...end]);
}

/** What the header before a file and the one in the directory have in common. */
function bothHeaders(name: Buffer, data: Buffer, content: Uint8Array): Buffer {
  return Buffer.concat([
    ...[VERSION_NEEDED, NAMES_ARE_UTF8, DEFLATED, TIME, DATE].map(uint16),
    ...[crc32(content), data.length, content.length].map(uint32),
    uint16(name.length),
    // No further fields.
    uint16(0),
  ]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
