import { checked, declare, Memory } from './native.js';

/**
 * The inode flags of ext2, ext3 and ext4, as chattr(1) sets them: ioctl_iflags(2). The kernel moves an int, whatever the
 * size in the request's number says (linux/fs.h, asm-generic/ioctl.h).
 */
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;

/** Contents of the file go through the file system's journal (chattr +j). Directories hand it on to new files. */
export const FS_JOURNAL_DATA_FL = 0x4000;

const flags = new Memory(8);

const c = { ioctl: declare('int ioctl(int, uint64, uint64)') };

/** @returns the flags, or a negated errno: -ENOTTY where the file system has none. */
export function inodeFlags(fd: number): number {
  const result = checked(c.ioctl(fd, FS_IOC_GETFLAGS, flags.address));
  // No flag uses the sign bit, so what is negative is always an error.
  return result < 0 ? result : flags.buffer.readInt32LE(0) & 0x7fffffff;
}

/** @returns 0 or a negated errno. FS_JOURNAL_DATA_FL needs CAP_SYS_RESOURCE: -EPERM. */
export function setInodeFlags(fd: number, value: number): number {
  flags.buffer.writeInt32LE(value, 0);
  return checked(c.ioctl(fd, FS_IOC_SETFLAGS, flags.address));
}
