import { Memory } from './native.js';

/** File type bits of st_mode, inode(7). */
export const S_IFMT = 0o170000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;

/** The attributes of a file, filled in place so that a stat allocates nothing. Times are seconds and nanoseconds. */
export class Attr {
  ino = 0;
  size = 0;
  /** In units of 512 bytes. */
  blocks = 0;
  blksize = 0;
  mode = 0;
  nlink = 0;
  uid = 0;
  gid = 0;
  rdevMajor = 0;
  rdevMinor = 0;
  devMajor = 0;
  devMinor = 0;
  atimeSec = 0;
  atimeNsec = 0;
  mtimeSec = 0;
  mtimeNsec = 0;
  ctimeSec = 0;
  ctimeNsec = 0;

  get isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }

  get isRegular(): boolean {
    return (this.mode & S_IFMT) === S_IFREG;
  }

  get isSymlink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK;
  }
}

const STATX_SIZE = 256;
const TWO32 = 2 ** 32;

/** Where statx(2) puts its answer: one buffer for the process, because nothing is held across calls. */
export const statxMemory = new Memory(STATX_SIZE);
const u32 = new Uint32Array(statxMemory.buffer.buffer);
const i32 = new Int32Array(statxMemory.buffer.buffer);

const u64 = (index: number): number => (u32[index + 1] ?? 0) * TWO32 + (u32[index] ?? 0);
const s64 = (index: number): number => (i32[index + 1] ?? 0) * TWO32 + (u32[index] ?? 0);

/** Copies struct statx (linux/stat.h; the same on every architecture, little-endian hosts) into `out`. */
export function takeStatx(out: Attr): void {
  out.blksize = u32[1] ?? 0;
  out.nlink = u32[4] ?? 0;
  out.uid = u32[5] ?? 0;
  out.gid = u32[6] ?? 0;
  out.mode = (u32[7] ?? 0) & 0xffff;
  out.ino = u64(8);
  out.size = u64(10);
  out.blocks = u64(12);
  out.atimeSec = s64(16);
  out.atimeNsec = u32[18] ?? 0;
  out.ctimeSec = s64(24);
  out.ctimeNsec = u32[26] ?? 0;
  out.mtimeSec = s64(28);
  out.mtimeNsec = u32[30] ?? 0;
  out.rdevMajor = u32[32] ?? 0;
  out.rdevMinor = u32[33] ?? 0;
  out.devMajor = u32[34] ?? 0;
  out.devMinor = u32[35] ?? 0;
}
