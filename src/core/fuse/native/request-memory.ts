import { copyMemory, Memory } from '../../system/native.js';

/**
 * What the addon knows of a request and does not pass on, read from its own notes of it: struct fuse_thread_locals_t of
 * fuse-native 2.2.6 and struct fuse_file_info of libfuse 2.9, as 64-bit compilers lay them out.
 */
const PATH = 24;
const INFO = 48;
const ATIME = 104;
const MTIME = 112;
const INFO_FLAGS = 0;
const INFO_WRITEPAGE = 16;
const INFO_BYTES = 24;

const info = new Memory(INFO_BYTES);
/** So much of a path is compared. */
const START_BYTES = 16;
const start = new Memory(START_BYTES);

/** Whether the notes are laid out as this file has it: they point to the `path` that the addon passed on. */
export function isAsExpected(request: Buffer, path: string): boolean {
  const address = Number(request.readBigUInt64LE(PATH));
  const expected = Buffer.from(`${path}\0`, 'utf8').subarray(0, START_BYTES);
  if (address === 0) return false;
  copyMemory(address, start.address, expected.length);
  return start.buffer.subarray(0, expected.length).equals(expected);
}

/** The times of a utimens in milliseconds. The addon passes the first one on, and then once more in place of the second. */
export function timesOf(request: Buffer): { atime: number; mtime: number } {
  return {
    atime: Number(request.readBigInt64LE(ATIME)),
    mtime: Number(request.readBigInt64LE(MTIME)),
  };
}

/** The open file's flags now, and whether the kernel writes pages of a mapping back. */
export function writeOf(request: Buffer): { flags: number; cached: boolean } {
  copyMemory(Number(request.readBigUInt64LE(INFO)), info.address, INFO_BYTES);
  return {
    flags: info.buffer.readInt32LE(INFO_FLAGS),
    cached: info.buffer.readInt32LE(INFO_WRITEPAGE) !== 0,
  };
}
