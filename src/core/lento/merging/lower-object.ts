import { crc32 } from 'node:zlib';
import {
  decodeIdentity,
  IDENTITY_BYTES_MAX,
  IDENTITY_XATTR,
  unidentified,
} from '../../cache/identity.js';
import { NO_OBJECT, ROOT_OBJECT, type ObjectId } from '../../model/ids.js';
import { splitPath } from '../../model/names.js';
import { encodeObjectFlags, FLAGS_XATTR } from '../../model/object-flags.js';
import { inheritedFlags } from '../../cache/identity.js';
import { LIMITS } from '../../model/limits.js';
import type { FileHandle } from '../../model/records.js';
import { Attr, S_IFLNK, S_IFMT } from '../../system/attr.js';
import { openBeneath } from '../../system/beneath.js';
import { encodeDevice } from '../../system/device-numbers.js';
import { must } from '../../system/errno.js';
import {
  close,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  pread,
  readlinkat,
  stat,
} from '../../system/files.js';
import { generationOf } from '../../system/handles.js';
import { Memory } from '../../system/native.js';
import { getxattrAt, listxattrAt } from '../../system/xattrs.js';
import type { ObjectDescription } from '../../wire/messages.js';

const memory = new Memory(LIMITS.xattrValueBytes);
const attr = new Attr();

/** An object of this host's lower tree, and where its file is. */
export interface LowerObject extends ObjectDescription {
  readonly handle: FileHandle;
  readonly links: number;
}

/**
 * Reads all there is to know of what stands at `path`, but for the contents (`checksum` is 0).
 * @param allFlags tells of inode flags also where the object has them from its directory
 * @param within those of the directory, where they are known
 * @returns undefined where nothing is there. @throws SystemError
 */
export function readLowerObject(
  lowerFd: number,
  path: string,
  { allFlags = false, within }: { allFlags?: boolean; within?: number | undefined } = {},
): LowerObject | undefined {
  const fd = openBeneath(lowerFd, path, O_PATH);
  if (fd < 0) return undefined;
  try {
    must('statx', stat(fd, '', attr), path);
    const { mode, uid, gid, size, ino, nlink, isRegular } = attr;
    const rdev = encodeDevice(attr.rdevMajor, attr.rdevMinor);
    const mtime = { sec: attr.mtimeSec, nsec: attr.mtimeNsec };
    const { object, content, attributes, flags } = identityOf(fd, path);
    const inherited = inheritedFlags(within ?? directoryFlags(lowerFd, path), mode);
    return {
      ...{ mode, uid, gid, rdev, mtime, object, content, attributes },
      size: isRegular ? size : 0,
      checksum: 0,
      target: (mode & S_IFMT) === S_IFLNK ? readTarget(fd) : '',
      xattrs: [...flagsRecord(flags, inherited, allFlags), ...readXattrs(fd)],
      handle: { ino, generation: Math.max(0, generationOf(fd)) },
      links: nlink,
    };
  } finally {
    close(fd);
  }
}

/**
 * Flags are told of as the attribute by which records set them, where making the object does not give it the same. `all`:
 * wherever it has some, or would have.
 */
function flagsRecord(
  flags: number,
  inherited: number,
  all: boolean,
): { name: string; value: Buffer }[] {
  const isTold = all ? (flags | inherited) !== 0 : flags !== inherited;
  return !isTold ? [] : [{ name: FLAGS_XATTR, value: encodeObjectFlags(flags) }];
}

/** Inode flags of the object at `path`; 0 where there is none. */
export function flagsAt(lowerFd: number, path: string): number {
  const fd = openBeneath(lowerFd, path, O_PATH);
  if (fd < 0) return 0;
  const { flags } = identityOf(fd, path);
  close(fd);
  return flags;
}

function directoryFlags(lowerFd: number, path: string): number {
  if (path === '') return 0;
  return flagsAt(lowerFd, splitPath(path).directory);
}

function identityOf(fd: number, path: string): ReturnType<typeof unidentified> {
  const length = getxattrAt(fd, '', IDENTITY_XATTR, memory.address, IDENTITY_BYTES_MAX);
  const found = length < 0 ? undefined : decodeIdentity(memory.buffer, length);
  return found ?? unidentified(path === '' ? ROOT_OBJECT : NO_OBJECT);
}

/** The identity of what stands at `path`, or undefined. */
export function readLowerIdentity(
  lowerFd: number,
  path: string,
): { object: ObjectId; directory: boolean; links: number } | undefined {
  const fd = openBeneath(lowerFd, path, O_PATH);
  if (fd < 0) return undefined;
  const known = stat(fd, '', attr) >= 0;
  const { object } = identityOf(fd, path);
  const { isDirectory, nlink } = attr;
  close(fd);
  return known ? { object, directory: isDirectory, links: isDirectory ? 1 : nlink } : undefined;
}

function readTarget(fd: number): string {
  const length = must('readlink', readlinkat(fd, '', memory.address, memory.length));
  return memory.buffer.toString('latin1', 0, length);
}

function readXattrs(fd: number): { name: string; value: Buffer }[] {
  const length = listxattrAt(fd, '', memory.address, memory.length);
  const names = memory.buffer.toString('latin1', 0, Math.max(0, length)).split('\0');
  const xattrs = [];
  for (const name of names) {
    if (name === '' || name === IDENTITY_XATTR) continue;
    const size = getxattrAt(fd, '', name, memory.address, memory.length);
    if (size >= 0) xattrs.push({ name, value: Buffer.from(memory.buffer.subarray(0, size)) });
  }
  return xattrs;
}

/** Gives the contents of the file at `path` to `take`, in pieces of at most `pieceBytes`. @returns their length and CRC-32 */
export async function readLowerContents(
  lowerFd: number,
  path: string,
  take: (chunk: Buffer) => Promise<unknown>,
  pieceBytes: number = LIMITS.chunkBytes,
): Promise<{ size: number; checksum: number }> {
  // What is no file is never read: a fifo that has come to be there would keep lento waiting for a writer.
  const fd = must('open', openBeneath(lowerFd, path, O_RDONLY | O_NONBLOCK), path);
  const chunk = new Memory(pieceBytes);
  let size = 0;
  let checksum = 0;
  try {
    for (;;) {
      const count = must('read', pread(fd, chunk.address, chunk.length, size), path);
      if (count === 0) return { size, checksum };
      const data = chunk.buffer.subarray(0, count);
      checksum = crc32(data, checksum);
      await take(data);
      size += count;
    }
  } finally {
    close(fd);
  }
}
