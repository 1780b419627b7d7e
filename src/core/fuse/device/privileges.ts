import { S_ISGID, S_ISUID } from '../../system/attr.js';
import { SetattrValid } from '../port.js';
import type { Exchange } from './exchange.js';

/**
 * Who writes to a set-id program that is not his takes the set-id bits off it. With FUSE_HANDLE_KILLPRIV_V2 the kernel
 * leaves that to the server, and saves asking for `security.capability` at every write. The file system is told in terms
 * it knows: a change of mode.
 */
const S_IXGRP = 0o010;

/** The mode that is left: set-group-id without group execution is no privilege (it once meant mandatory locking). */
export function withoutSetId(mode: number): number {
  const group = (mode & S_IXGRP) !== 0 ? S_ISGID : 0;
  return mode & ~(S_ISUID | group);
}

/** Before a write or truncation by somebody without CAP_FSETID. @returns 0, a negated errno or PARK. */
export function dropSetIdBits(x: Exchange): number {
  const { operations, node, attr, change } = x;
  const result = operations.getattr(node, attr);
  if (result !== 0) return result;
  const mode = withoutSetId(attr.mode);
  if (mode === attr.mode) return 0;
  change.valid = SetattrValid.mode | SetattrValid.killSuidgid;
  change.mode = mode;
  const changed = operations.setattr(x.caller, node, change, attr);
  if (changed === 0) x.attributesChanged(node);
  return changed;
}

/** For a SETATTR that has FATTR_KILL_SUIDGID (chown, truncate): the mode becomes part of `change`. */
export function keepSetIdBitsOut(x: Exchange): number {
  const { operations, node, attr, change } = x;
  const asked = change.valid & (SetattrValid.killSuidgid | SetattrValid.mode);
  if (asked !== SetattrValid.killSuidgid) return 0;
  const result = operations.getattr(node, attr);
  if (result !== 0) return result;
  const mode = withoutSetId(attr.mode);
  if (mode === attr.mode) return 0;
  change.valid |= SetattrValid.mode;
  change.mode = mode;
  return 0;
}
