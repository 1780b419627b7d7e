import type { Caller } from '../../fuse/port.js';
import { S_IFDIR, S_IFMT, S_ISGID, type Attr } from '../../system/attr.js';

const S_IXGRP = 0o010;

/** The mode of a new object as inode_init_owner() of Linux has it: directories pass setgid on, strangers lose it. */
export function ownMode(mode: number, caller: Caller, directory: Attr): number {
  if ((directory.mode & S_ISGID) === 0) return mode;
  if ((mode & S_IFMT) === S_IFDIR) return mode | S_ISGID;
  const foreign = caller.uid !== 0 && caller.gid !== directory.gid;
  return foreign && (mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP) ? mode & ~S_ISGID : mode;
}
