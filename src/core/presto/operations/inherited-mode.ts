import type { Caller } from '../../fuse/port.js';
import { S_IFDIR, S_IFLNK, S_IFMT, S_ISGID, type Attr } from '../../system/attr.js';
import { maySetGroupId } from '../../system/credentials.js';
import type { LowerTree } from '../lower-tree.js';
import type { Node } from '../node.js';

const S_IXGRP = 0o010;

/** What a program asks a new object to be. */
export interface Wanted {
  /** With the type bits. */
  readonly mode: number;
  readonly umask: number;
}

/** Links have no permissions of their own, and no ACLs. */
export const SYMLINK: Wanted = { mode: S_IFLNK | 0o777, umask: 0 };

/**
 * The mode of a new object in `directory`, whose attributes are `attr`: what the directory's default ACL leaves of it, or
 * the umask where there is none. @returns a negated errno where the ACL cannot be read
 */
export function ownMode(
  tree: LowerTree,
  caller: Caller,
  directory: Node,
  attr: Attr,
  wanted: Wanted,
): number {
  if (wanted === SYMLINK) return wanted.mode;
  const mode = withGroupOf(attr, wanted.mode, caller);
  return tree.defaultAcls.apply(directory, mode, wanted.umask);
}

/** As inode_init_owner() of Linux has it: directories pass setgid on, strangers lose it. */
function withGroupOf(directory: Attr, mode: number, caller: Caller): number {
  if ((directory.mode & S_ISGID) === 0) return mode;
  if ((mode & S_IFMT) === S_IFDIR) return mode | S_ISGID;
  if ((mode & (S_ISGID | S_IXGRP)) !== (S_ISGID | S_IXGRP)) return mode;
  return maySetGroupId(caller, directory.gid) ? mode : mode & ~S_ISGID;
}
