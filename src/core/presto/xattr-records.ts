import { IDENTITY_XATTR } from '../cache/identity.js';
import type { Caller } from '../fuse/port.js';
import { LIMITS } from '../model/limits.js';
import { Opcode } from '../model/records.js';
import { Memory } from '../system/native.js';
import { getxattrAt, listxattrAt } from '../system/xattrs.js';
import type { LocalUpdates } from './local-updates.js';
import type { LowerTree } from './lower-tree.js';
import type { Node } from './node.js';

/** Journals extended attributes that a file has already, as if each was being set. Records may tell of them twice. */
export class XattrRecords {
  readonly #memory = new Memory(2 * LIMITS.xattrValueBytes);

  constructor(
    private readonly tree: LowerTree,
    private readonly updates: LocalUpdates,
  ) {}

  /** `fd` has the file open. @returns 0, or the negated errno for which not all could be journaled. */
  journal(caller: Caller, node: Node, fd: number, path: string): number {
    const { tree, updates } = this;
    const { address, buffer, length } = this.#memory;
    const size = listxattrAt(fd, '', address, length);
    if (size < 0) return size;
    for (const name of buffer.toString('latin1', 0, size).split('\0')) {
      if (name === '' || name === IDENTITY_XATTR) continue;
      const bytes = getxattrAt(fd, '', name, address, length);
      if (bytes < 0) return bytes;
      const value = Buffer.from(buffer.subarray(0, bytes));
      const body = { op: Opcode.SETEXTATTR, path, name, value, flags: 0 } as const;
      const update = updates.next();
      const identity = tree.identity.of(node);
      const { object, attributes } = identity;
      const result = updates.perform(caller, update, object, attributes, body, () =>
        tree.identity.write(node, { ...identity, attributes: update.stamp }, fd),
      );
      if (result < 0) return result;
    }
    return 0;
  }
}
