import { AT_EMPTY_PATH, O_CLOEXEC, O_NOFOLLOW } from './files.js';
import { checked, declare, Memory } from './native.js';

/**
 * Opening a file by inode number and generation, whatever its name is by now: name_to_handle_at(2) and
 * open_by_handle_at(2). The handle is that of ext2, ext3 and ext4: type FILEID_INO32_GEN, two 32-bit words
 * (linux/exportfs.h).
 */
const FILEID_INO32_GEN = 1;
const HANDLE_BYTES = 8;

const handle = new Memory(64);
const mountId = new Memory(8);
const empty = new Memory(8);

const c = {
  nameToHandleAt: declare('int name_to_handle_at(int, uint64, uint64, uint64, int)'),
  openByHandleAt: declare('int open_by_handle_at(int, uint64, int)'),
};

/** The generation of the inode that `fd` has open: tells it from an earlier or later file of the same number. */
export function generationOf(fd: number): number {
  handle.buffer.writeUInt32LE(HANDLE_BYTES, 0);
  const result = checked(
    c.nameToHandleAt(fd, empty.address, handle.address, mountId.address, AT_EMPTY_PATH),
  );
  return result < 0 ? result : handle.buffer.readUInt32LE(12);
}

/**
 * Opens an inode of the file system that `mountFd` is on. @returns a descriptor, -ESTALE where the file is gone, or
 * another negated errno.
 */
export function openByHandle(
  mountFd: number,
  ino: number,
  generation: number,
  flags: number,
): number {
  handle.buffer.writeUInt32LE(HANDLE_BYTES, 0);
  handle.buffer.writeInt32LE(FILEID_INO32_GEN, 4);
  handle.buffer.writeUInt32LE(ino, 8);
  handle.buffer.writeUInt32LE(generation, 12);
  return checked(c.openByHandleAt(mountFd, handle.address, flags | O_CLOEXEC | O_NOFOLLOW));
}
