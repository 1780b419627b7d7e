import { takeStatx, statxMemory, type Attr } from './attr.js';
import { checked, declare, declareWide, Memory } from './native.js';

/**
 * File system calls relative to a directory descriptor. Names and paths are bytes (latin1 strings). Every function
 * returns the call's result, or a negated errno; none throws. See the man page of section 2 with the function's name.
 */

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_ACCMODE = 3;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DSYNC = 0o10000;
/** Includes O_DSYNC. */
export const O_SYNC = 0o4010000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
// These three differ between x86 and arm (asm/fcntl.h).
const arm = process.arch === 'arm64' || process.arch === 'arm';
export const O_DIRECT = arm ? 0o200000 : 0o40000;
export const O_DIRECTORY = arm ? 0o40000 : 0o200000;
export const O_TMPFILE = 0o20000000 | O_DIRECTORY;
export const O_NOFOLLOW = arm ? 0o100000 : 0o400000;

/** Of lseek(2). */
export const SEEK_END = 2;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_EMPTY_PATH = 0x1000;
export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;

const STATX_BASIC_STATS = 0x7ff;
const PATH_BYTES = 4096;

// One buffer each for the first and second name of a call, for times and for struct arguments.
const first = new Memory(PATH_BYTES * 2);
const second = new Memory(PATH_BYTES * 2);
const scratch = new Memory(256);
const scratchWords = new Int32Array(scratch.buffer.buffer);
const TWO32 = 2 ** 32;

const c = {
  openat: declare('int openat(int, uint64, int, uint)'),
  close: declare('int close(int)'),
  statx: declare('int statx(int, uint64, int, uint, uint64)'),
  mkdirat: declare('int mkdirat(int, uint64, uint)'),
  mknodat: declare('int mknodat(int, uint64, uint, uint64)'),
  unlinkat: declare('int unlinkat(int, uint64, int)'),
  symlinkat: declare('int symlinkat(uint64, int, uint64)'),
  linkat: declare('int linkat(int, uint64, int, uint64, int)'),
  renameat2: declare('int renameat2(int, uint64, int, uint64, uint)'),
  readlinkat: declare('int64 readlinkat(int, uint64, uint64, uint64)'),
  fchmodat: declare('int fchmodat(int, uint64, uint, int)'),
  fchmod: declare('int fchmod(int, uint)'),
  fchownat: declare('int fchownat(int, uint64, uint, uint, int)'),
  utimensat: declare('int utimensat(int, uint64, uint64, int)'),
  futimens: declare('int futimens(int, uint64)'),
  ftruncate: declare('int ftruncate(int, int64)'),
  pread: declare('int64 pread(int, uint64, uint64, int64)'),
  pwrite: declare('int64 pwrite(int, uint64, uint64, int64)'),
  fsync: declare('int fsync(int)'),
  fdatasync: declare('int fdatasync(int)'),
  syncFileRange: declare('int sync_file_range(int, int64, int64, uint)'),
  syncfs: declare('int syncfs(int)'),
  lseek: declare('int64 lseek(int, int64, int)'),
  fallocate: declare('int fallocate(int, int, int64, int64)'),
  getdents64: declare('int64 getdents64(int, uint64, uint64)'),
  fstatvfs: declare('int fstatvfs(int, uint64)'),
  // A number or an address, as long as either.
  fcntl: declare('int fcntl(int, int, uint64)'),
  flock: declare('int flock(int, int)'),
  copyFileRange: declare('int64 copy_file_range(int, uint64, int, uint64, uint64, uint)'),
  clockGettime: declare('int clock_gettime(int, uint64)'),
};

export function openat(dirfd: number, name: string, flags: number, mode = 0): number {
  return checked(c.openat(dirfd, first.putString(name), flags | O_CLOEXEC, mode));
}

export function close(fd: number): number {
  return checked(c.close(fd));
}

/** Attributes of `name` in `dirfd`, not following a link; of `dirfd` itself where `name` is empty. */
export function stat(dirfd: number, name: string, out: Attr): number {
  const flags = AT_SYMLINK_NOFOLLOW | (name === '' ? AT_EMPTY_PATH : 0);
  const result = c.statx(
    dirfd,
    first.putString(name),
    flags,
    STATX_BASIC_STATS,
    statxMemory.address,
  );
  if (result !== 0) return checked(result);
  takeStatx(out);
  return 0;
}

export function mkdirat(dirfd: number, name: string, mode: number): number {
  return checked(c.mkdirat(dirfd, first.putString(name), mode));
}

/** `rdev` as makedev(3) encodes it for the kernel. */
export function mknodat(dirfd: number, name: string, mode: number, rdev: number): number {
  return checked(c.mknodat(dirfd, first.putString(name), mode, rdev));
}

export function unlinkat(dirfd: number, name: string, flags = 0): number {
  return checked(c.unlinkat(dirfd, first.putString(name), flags));
}

export function symlinkat(target: string, dirfd: number, name: string): number {
  return checked(c.symlinkat(first.putString(target), dirfd, second.putString(name)));
}

/** Where `name` is empty, the object of `dirfd` itself gets the new name. */
export function linkat(dirfd: number, name: string, newDirfd: number, newName: string): number {
  const flags = name === '' ? AT_EMPTY_PATH : 0;
  return checked(
    c.linkat(dirfd, first.putString(name), newDirfd, second.putString(newName), flags),
  );
}

export function renameat2(
  dirfd: number,
  name: string,
  newDirfd: number,
  newName: string,
  flags = 0,
): number {
  return checked(
    c.renameat2(dirfd, first.putString(name), newDirfd, second.putString(newName), flags),
  );
}

/** Puts the target at `address`; not NUL-terminated. @returns its length in bytes. */
export function readlinkat(dirfd: number, name: string, address: number, size: number): number {
  return checked(c.readlinkat(dirfd, first.putString(name), address, size));
}

/** Follows links, as the system call does: never call it for a symbolic link. */
export function fchmodat(dirfd: number, name: string, mode: number): number {
  return checked(c.fchmodat(dirfd, first.putString(name), mode, 0));
}

export function fchmod(fd: number, mode: number): number {
  return checked(c.fchmod(fd, mode));
}

/** Does not follow links; `dirfd` itself where `name` is empty. An id of 0xffffffff is left as it is. */
export function fchownat(dirfd: number, name: string, uid: number, gid: number): number {
  const flags = AT_SYMLINK_NOFOLLOW | (name === '' ? AT_EMPTY_PATH : 0);
  return checked(c.fchownat(dirfd, first.putString(name), uid, gid, flags));
}

/** Two struct timespec. By words and not by bigints, which would be allocated: every update sets times. */
function putTimes(atimeSec: number, atimeNsec: number, mtimeSec: number, mtimeNsec: number): void {
  putTime(0, atimeSec, atimeNsec);
  putTime(4, mtimeSec, mtimeNsec);
}

function putTime(word: number, sec: number, nsec: number): void {
  scratchWords[word] = sec;
  scratchWords[word + 1] = Math.floor(sec / TWO32);
  scratchWords[word + 2] = nsec;
  scratchWords[word + 3] = 0;
}

/** Does not follow links; `dirfd` itself where `name` is empty. Nanoseconds may be UTIME_NOW or UTIME_OMIT. */
export function utimensat(
  dirfd: number,
  name: string,
  atimeSec: number,
  atimeNsec: number,
  mtimeSec: number,
  mtimeNsec: number,
): number {
  putTimes(atimeSec, atimeNsec, mtimeSec, mtimeNsec);
  const flags = AT_SYMLINK_NOFOLLOW | (name === '' ? AT_EMPTY_PATH : 0);
  return checked(c.utimensat(dirfd, first.putString(name), scratch.address, flags));
}

/** utimensat for an open descriptor (not O_PATH). */
export function futimens(
  fd: number,
  atimeSec: number,
  atimeNsec: number,
  mtimeSec: number,
  mtimeNsec: number,
): number {
  putTimes(atimeSec, atimeNsec, mtimeSec, mtimeNsec);
  return checked(c.futimens(fd, scratch.address));
}

export function ftruncate(fd: number, size: number): number {
  return checked(c.ftruncate(fd, size));
}

export function pread(fd: number, address: number, length: number, offset: number): number {
  return checked(c.pread(fd, address, length, offset));
}

export function pwrite(fd: number, address: number, length: number, offset: number): number {
  return checked(c.pwrite(fd, address, length, offset));
}

export function fsync(fd: number): number {
  return checked(c.fsync(fd));
}

export function fdatasync(fd: number): number {
  return checked(c.fdatasync(fd));
}

/** SYNC_FILE_RANGE_WAIT_BEFORE | WRITE | WAIT_AFTER. */
const WRITE_AND_WAIT = 7;

/**
 * Writes the file's pages to the disk, which may still have them in a cache of its own; what tells where they are is not
 * written. See sync_file_range(2).
 */
export function writeOut(fd: number): number {
  return checked(c.syncFileRange(fd, 0, 0, WRITE_AND_WAIT));
}

export function syncfs(fd: number): number {
  return checked(c.syncfs(fd));
}

export function lseek(fd: number, offset: number, whence: number): number {
  return checked(c.lseek(fd, offset, whence));
}

const lseekWide = declareWide('int64 lseek(int, int64, int)');

/** Positions a directory: its offsets are opaque 64-bit values. @returns 0 or a negated errno. */
export function seekDirectory(fd: number, offset: bigint): number {
  const result = lseekWide(fd, offset, 0);
  return result === -1 ? checked(-1) : 0;
}

export function fallocate(fd: number, mode: number, offset: number, length: number): number {
  return checked(c.fallocate(fd, mode, offset, length));
}

/** Puts struct linux_dirent64 entries at `address`. @returns the bytes filled; 0 at the end. */
export function getdents64(fd: number, address: number, size: number): number {
  return checked(c.getdents64(fd, address, size));
}

/** @param argument a number, or the address of what the command takes */
export function fcntl(fd: number, command: number, argument: number): number {
  return checked(c.fcntl(fd, command, argument));
}

const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_UNLCK = 2;
const SIGURG = 23;

/**
 * Whether anything, a mapping too, can write to the file that `fd` has open for reading only. The kernel says so by refusing
 * a lease; where it does for another reason, the answer is yes, too.
 */
export function isOpenForWriting(fd: number): boolean {
  // Who opens it for writing in this very moment breaks the lease. The signal for that must be one that is ignored.
  c.fcntl(fd, F_SETSIG, SIGURG);
  if (c.fcntl(fd, F_SETLEASE, F_RDLCK) !== 0) return true;
  c.fcntl(fd, F_SETLEASE, F_UNLCK);
  return false;
}

export const LOCK_EX = 2;
export const LOCK_NB = 4;

/** flock(2): the lock goes with the open file description, so a killed process never leaves one behind. */
export function flock(fd: number, operation: number): number {
  return checked(c.flock(fd, operation));
}

/** Copies inside the kernel from one file position to another. @returns bytes copied; 0 at the end of the source. */
export function copyFileRange(
  from: number,
  fromOffset: number,
  to: number,
  toOffset: number,
  length: number,
): number {
  scratch.buffer.writeBigInt64LE(BigInt(fromOffset), 0);
  scratch.buffer.writeBigInt64LE(BigInt(toOffset), 8);
  return checked(c.copyFileRange(from, scratch.address, to, scratch.address + 8, length, 0));
}

/** struct statvfs of 64-bit glibc, in `out` as eleven numbers by name. */
export interface FileSystemStatus {
  blockSize: number;
  fragmentSize: number;
  blocks: number;
  blocksFree: number;
  blocksAvailable: number;
  files: number;
  filesFree: number;
  nameMax: number;
}

export function fstatvfs(fd: number, out: FileSystemStatus): number {
  const result = checked(c.fstatvfs(fd, scratch.address));
  if (result < 0) return result;
  const at = (index: number): number => Number(scratch.buffer.readBigUInt64LE(index * 8));
  out.blockSize = at(0);
  out.fragmentSize = at(1);
  out.blocks = at(2);
  out.blocksFree = at(3);
  out.blocksAvailable = at(4);
  out.files = at(5);
  out.filesFree = at(6);
  out.nameMax = at(10);
  return 0;
}

/** Wall-clock time with nanoseconds, from CLOCK_REALTIME. */
export function now(): { sec: number; nsec: number } {
  c.clockGettime(0, scratch.address);
  return {
    sec: scratch.buffer.readUInt32LE(0) + scratch.buffer.readInt32LE(4) * 2 ** 32,
    nsec: scratch.buffer.readUInt32LE(8),
  };
}

/** Bytes that are free on the file system of `fd`, also those that are kept for root. @returns a negated errno if not */
export function freeBytes(fd: number): number {
  return blocksOf(fd, 3);
}

/** Bytes of the file system of `fd`, free or not. @returns a negated errno if not */
export function totalBytes(fd: number): number {
  return blocksOf(fd, 2);
}

/** @param field of struct statvfs: a number of blocks. */
function blocksOf(fd: number, field: number): number {
  const result = checked(c.fstatvfs(fd, scratch.address));
  if (result < 0) return result;
  const at = (index: number): number => Number(scratch.buffer.readBigUInt64LE(index * 8));
  return at(1) * at(field);
}
