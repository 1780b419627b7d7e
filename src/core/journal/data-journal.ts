import { FS_JOURNAL_DATA_FL, inodeFlags, setInodeFlags } from '../system/inode-flags.js';

/**
 * True where the file carries the flag that keeps its contents in order with the metadata around them (chattr +j). On
 * ext4 the flag is without effect unless the file system is mounted `nodelalloc`: whoever mounts sees to that.
 */
export function hasDataJournalFlag(fd: number): boolean {
  const flags = inodeFlags(fd);
  return flags >= 0 && (flags & FS_JOURNAL_DATA_FL) !== 0;
}

/**
 * @returns 0 or a negated errno: -EPERM without CAP_SYS_RESOURCE, -EOPNOTSUPP or -ENOTTY where the file system has no such
 *   flag.
 */
export function setDataJournalFlag(fd: number): number {
  const flags = inodeFlags(fd);
  if (flags < 0) return flags;
  return (flags & FS_JOURNAL_DATA_FL) !== 0 ? 0 : setInodeFlags(fd, flags | FS_JOURNAL_DATA_FL);
}
