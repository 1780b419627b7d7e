import type { Caller, NodeId } from '../../fuse/port.js';
import {
  FIXED_FLAGS,
  FLAGS_XATTR,
  OBJECT_FLAGS,
  encodeObjectFlags,
} from '../../model/object-flags.js';
import { Opcode } from '../../model/records.js';
import { Attr } from '../../system/attr.js';
import { Capability, isCapable } from '../../system/credentials.js';
import { E } from '../../system/errno.js';
import type { PrestoCore } from '../core.js';
import { anyPathOf } from '../tree/find-by-inode.js';
import type { Node } from '../tree/node.js';

/** Inode flags of files and directories: chattr(1), lsattr(1). */
export class FlagOperations {
  readonly #attr = new Attr();

  constructor(private readonly core: PrestoCore) {}

  getflags(id: NodeId): number {
    const node = this.core.table.get(id);
    return node === undefined ? -E.ENOENT : this.core.guard.flags(node);
  }

  setflags(caller: Caller, id: NodeId, flags: number): number {
    const { core } = this;
    const node = core.table.get(id);
    if (node === undefined) return -E.ENOENT;
    // What ext4 could keep besides is about where a replica has its blocks, and those are not ours.
    if ((flags & ~OBJECT_FLAGS) !== 0) return -E.EOPNOTSUPP;
    const permit = core.gate.enter();
    if (permit !== 0) return permit;
    if (node.replaced) return core.returning.sendBack(caller);
    core.returning.isBack(caller);
    const allowed = this.#mayChange(caller, node, flags);
    if (allowed !== 0) return allowed;
    const path = anyPathOf(core.tree, node);
    if (path === undefined) {
      // It lives as long as somebody has it open, and so does the node; a link writes them.
      node.identity = { ...core.tree.identity.of(node), flags };
      return 0;
    }
    const update = core.updates.next();
    const identity = core.tree.identity.forUpdate(node, update.stamp);
    const value = encodeObjectFlags(flags);
    const body = { op: Opcode.SETEXTATTR, path, name: FLAGS_XATTR, value, flags: 0 } as const;
    const { object, attributes } = identity;
    const result = core.updates.perform(caller, update, object, attributes, body, () =>
      core.tree.identity.write(node, { ...identity, attributes: update.stamp, flags }),
    );
    return core.guard.settled(result, node);
  }

  /** As Linux 5.13 and later have asked already, which know the flags of before from `getflags`. */
  #mayChange(caller: Caller, node: Node, flags: number): number {
    const result = this.core.tree.stat(node, this.#attr);
    if (result < 0) return result;
    const owns = caller.uid === this.#attr.uid || isCapable(caller, Capability.FOWNER);
    if (!owns) return -E.EPERM;
    const changes = ((this.core.guard.flags(node) ^ flags) & FIXED_FLAGS) !== 0;
    return changes && !isCapable(caller, Capability.LINUX_IMMUTABLE) ? -E.EPERM : 0;
  }
}
