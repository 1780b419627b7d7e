import { S_ISGID, S_ISUID } from '../../system/attr.js';
import { maySetGroupId } from '../../system/credentials.js';
import { SetattrValid, type Caller } from '../port.js';
import type { Exchange } from './exchange.js';

/**
 * Who writes to a set-id program that is not his takes the set-id bits off it; who gives it away does, too. With
 * FUSE_HANDLE_KILLPRIV_V2 the kernel leaves that to the server, and saves asking for `security.capability` at every write.
 * The file system is told in terms it knows: a change of mode. So its records have the mode that results.
 */
const S_IXGRP = 0o010;
const { mode: MODE, uid: UID, gid: GID, size, atime, mtime, killSuidgid: KILL } = SetattrValid;

/**
 * The mode that is left, as setattr_should_drop_suidgid() of Linux has it: set-group-id without group execution is no
 * privilege (it once meant mandatory locking), and stays where the caller could have set it himself.
 */
export function withoutSetId(
  mode: number,
  caller: Pick<Caller, 'pid' | 'gid'>,
  gid: number,
): number {
  const executable = (mode & S_IXGRP) !== 0;
  const keepsGroup = (mode & S_ISGID) === 0 || (!executable && maySetGroupId(caller, gid));
  return mode & ~(keepsGroup ? S_ISUID : S_ISUID | S_ISGID);
}

/** Before a write or truncation by somebody without CAP_FSETID. @returns 0, a negated errno or PARK. */
export function dropSetIdBits(x: Exchange): number {
  const result = x.operations.getattr(x.node, x.attr);
  return result === 0 ? changeMode(x, withoutSetId(x.attr.mode, x.caller, x.attr.gid)) : result;
}

/** Before a new access ACL by somebody who could not set the set-group-id bit, as posix_acl_update_mode() has it. */
export function dropForeignSetGroupId(x: Exchange): number {
  const { operations, node, attr, caller } = x;
  const result = operations.getattr(node, attr);
  if (result !== 0) return result;
  const foreign = (attr.mode & S_ISGID) !== 0 && !maySetGroupId(caller, attr.gid);
  return foreign ? changeMode(x, attr.mode & ~S_ISGID) : 0;
}

/** `mode`: what x.attr is to have. */
function changeMode(x: Exchange, mode: number): number {
  const { operations, node, attr, change } = x;
  if (mode === attr.mode) return 0;
  change.valid = MODE | KILL;
  change.mode = mode;
  const changed = operations.setattr(x.caller, node, change, attr);
  if (changed === 0) x.attributesChanged(node);
  return changed;
}

/**
 * For SETATTR: where it takes set-id bits off, the mode becomes part of `change`. The kernel says so of a truncation. A
 * change of owner always does, of directories excepted. One of nothing is all that is left of chown(2) without an owner, or
 * comes before an fallocate(2), when the kernel wants them off and has taken its own proposal out.
 */
export function keepSetIdBitsOut(x: Exchange): number {
  const { operations, node, attr, change } = x;
  const { valid } = change;
  const nothing = (valid & (MODE | UID | GID | size | atime | mtime)) === 0;
  if ((valid & MODE) !== 0 || ((valid & (UID | GID | KILL)) === 0 && !nothing)) return 0;
  const result = operations.getattr(node, attr);
  if (result !== 0 || attr.isDirectory) return result;
  const mode = withoutSetId(attr.mode, x.caller, attr.gid);
  if (mode === attr.mode) return 0;
  change.valid |= MODE;
  change.mode = mode;
  return 0;
}
