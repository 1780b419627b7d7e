import { IDENTITY_XATTR } from '../../cache/identity.js';
import type { Caller } from '../../fuse/port.js';
import { LIMITS } from '../../model/limits.js';
import { ACCESS_ACL } from '../../model/acl.js';
import { encodeObjectFlags, FLAGS_XATTR } from '../../model/object-flags.js';
import { Opcode, type RecordBody } from '../../model/records.js';
import { Memory } from '../../system/native.js';
import { getxattrAt, listxattrAt } from '../../system/xattrs.js';
import type { LocalUpdates } from '../local-updates.js';
import type { LowerTree } from '../tree/lower-tree.js';
import type { Node } from '../tree/node.js';

/**
 * Journals extended attributes and flags that a file has already, as if each was being set, and that it has not got the ACL which
 * making it gives it elsewhere. Records may tell of them twice.
 */
export class XattrRecords {
  readonly #memory = new Memory(2 * LIMITS.xattrValueBytes);

  constructor(
    private readonly tree: LowerTree,
    private readonly updates: LocalUpdates,
  ) {}

  /** `fd` has the file open. @returns 0, or the negated errno for which not all could be journaled. */
  journal(caller: Caller, node: Node, fd: number, path: string): number {
    const { address, buffer, length } = this.#memory;
    const size = listxattrAt(fd, '', address, length);
    if (size < 0) return size;
    const names = buffer.toString('latin1', 0, size).split('\0');
    const directory = node.parent;
    if (!names.includes(ACCESS_ACL) && directory && this.tree.defaultAcls.isSet(directory)) {
      const body = { op: Opcode.DELEXTATTR, path, name: ACCESS_ACL } as const;
      const result = this.#note(caller, node, fd, body);
      if (result < 0) return result;
    }
    const { flags } = this.tree.identity.of(node);
    if (directory && flags !== this.tree.identity.inheritedFlags(directory, node.kind)) {
      const value = encodeObjectFlags(flags);
      const body = { op: Opcode.SETEXTATTR, path, name: FLAGS_XATTR, value, flags: 0 } as const;
      const result = this.#note(caller, node, fd, body);
      if (result < 0) return result;
    }
    for (const name of names) {
      if (name === '' || name === IDENTITY_XATTR) continue;
      const bytes = getxattrAt(fd, '', name, address, length);
      if (bytes < 0) return bytes;
      const value = Buffer.from(buffer.subarray(0, bytes));
      const body = { op: Opcode.SETEXTATTR, path, name, value, flags: 0 } as const;
      const result = this.#note(caller, node, fd, body);
      if (result < 0) return result;
    }
    return 0;
  }

  /** Of what is so already only the version changes. */
  #note(caller: Caller, node: Node, fd: number, body: RecordBody): number {
    const { identity } = this.tree;
    const update = this.updates.next();
    const before = identity.of(node);
    const { object, attributes } = before;
    return this.updates.perform(caller, update, object, attributes, body, () =>
      identity.write(node, { ...before, attributes: update.stamp }, fd),
    );
  }
}
