import type { Caller } from '../../fuse/port.js';
import { S_IFDIR, S_IFLNK, S_IFMT, S_ISGID } from '../../system/attr.js';
import { maySetGroupId } from '../../system/credentials.js';
import { NOBODY, type LowerTree } from '../tree/lower-tree.js';
import type { Node } from '../tree/node.js';

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
 * The mode of a new object in `directory`, which passes on `group`: what the directory's default ACL leaves of it, or the
 * umask where there is none. @returns a negated errno where the ACL cannot be read
 */
export function ownMode(
  tree: LowerTree,
  caller: Caller,
  directory: Node,
  group: number,
  wanted: Wanted,
): number {
  if (wanted === SYMLINK) return wanted.mode;
  const mode = withGroup(group, wanted.mode, caller);
  return tree.defaultAcls.apply(directory, mode, wanted.umask);
}

/** As inode_init_owner() of Linux has it: directories pass setgid on, strangers lose it. */
function withGroup(group: number, mode: number, caller: Caller): number {
  if (group === NOBODY) return mode;
  if ((mode & S_IFMT) === S_IFDIR) return mode | S_ISGID;
  if ((mode & (S_ISGID | S_IXGRP)) !== (S_ISGID | S_IXGRP)) return mode;
  return maySetGroupId(caller, group) ? mode : mode & ~S_ISGID;
}
