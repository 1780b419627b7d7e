import type { FilesetLogs } from '../../journal/index.js';
import { FIXED_FLAGS, ObjectFlag } from '../../model/object-flags.js';
import { E } from '../../system/errno.js';
import { O_ACCMODE, O_APPEND, O_RDONLY, O_TRUNC } from '../../system/files.js';
import type { IdentityStore } from './identity-store.js';
import type { Node } from './node.js';

/**
 * What the flags of objects forbid to local programs, and ask for, as Linux has it for ext4 (chattr(1)). To be asked when
 * the permit is there: before, a peer may still change them. What peers did was allowed where they did it.
 */
export class ObjectGuard {
  constructor(
    private readonly identity: IdentityStore,
    private readonly logs: FilesetLogs,
  ) {}

  flags(node: Node): number {
    return this.identity.of(node).flags;
  }

  #has(node: Node, flags: number): boolean {
    return (this.flags(node) & flags) !== 0;
  }

  /** A new name in a directory. @returns 0 or a negated errno, as all of these */
  add(directory: Node): number {
    return this.#has(directory, ObjectFlag.immutable) ? -E.EPERM : 0;
  }

  /** The name goes, or means something else afterwards. */
  remove(directory: Node, node: Node): number {
    return this.#has(directory, FIXED_FLAGS) || this.#has(node, FIXED_FLAGS) ? -E.EPERM : 0;
  }

  /** Attributes, size, further names; with `touch` nothing but times that become the present one. */
  change(node: Node, touch = false): number {
    return this.#has(node, touch ? ObjectFlag.immutable : FIXED_FLAGS) ? -E.EPERM : 0;
  }

  /** `flags` of open(2). */
  open(node: Node, flags: number): number {
    const writes = (flags & O_ACCMODE) !== O_RDONLY;
    const appends = (flags & (O_APPEND | O_TRUNC)) === O_APPEND;
    const rewrites = (writes && !appends) || (flags & O_TRUNC) !== 0;
    if (!writes && !rewrites) return 0;
    return this.#has(node, rewrites ? FIXED_FLAGS : ObjectFlag.immutable) ? -E.EPERM : 0;
  }

  /** Bytes through a file that was opened before the flag was set. */
  write(node: Node): number {
    return this.#has(node, ObjectFlag.immutable) ? -E.EPERM : 0;
  }

  isAppendOnly(node: Node): boolean {
    return this.#has(node, ObjectFlag.append);
  }

  isSynchronous(node: Node): boolean {
    return this.#has(node, ObjectFlag.sync);
  }

  /** An update of these is done: makes it durable where one of them wants that. @returns `result`, or why it is not */
  settled(result: number, node: Node, other = node): number {
    if (result < 0) return result;
    const wanted = ObjectFlag.sync | ObjectFlag.dirsync;
    if (((this.flags(node) | this.flags(other)) & wanted) === 0) return result;
    const synced = this.logs.kml.sync();
    return synced < 0 ? synced : result;
  }
}
