import { Memory } from '../../system/native.js';
import type { NodeId } from '../port.js';
import { NAME_BYTES } from './limits.js';
import { FuseNotify, InvalEntryOut, InvalInodeOut, OutHeader } from './protocol.js';

/** Something that the kernel remembers and shall not any more. */
export type Stale =
  | { readonly kind: 'entry'; readonly parent: NodeId; readonly name: string }
  | { readonly kind: 'node'; readonly node: NodeId; readonly contents: boolean };

/** An offset below 0 means the attributes only; a length of 0 the whole file (fuse_reverse_inval_inode). */
const ATTRIBUTES_ONLY = -1n;

/** Memory for one notification on its way. */
export class NotificationMemory {
  readonly #memory = new Memory(OutHeader.size + InvalEntryOut.size + NAME_BYTES + 8);

  get address(): number {
    return this.#memory.address;
  }

  /** Builds the message. @returns its length. */
  put(stale: Stale): number {
    return stale.kind === 'entry'
      ? this.#putEntry(stale.parent, stale.name)
      : this.#putNode(stale.node, stale.contents);
  }

  /** struct fuse_notify_inval_entry_out, then the name and a NUL. */
  #putEntry(parent: NodeId, name: string): number {
    const { buffer } = this.#memory;
    const body = OutHeader.size;
    const nameAt = body + InvalEntryOut.size;
    buffer.writeBigUInt64LE(BigInt(parent), body + InvalEntryOut.parent);
    buffer.writeUInt32LE(name.length, body + InvalEntryOut.namelen);
    buffer.writeUInt32LE(0, body + InvalEntryOut.flags);
    buffer.write(name, nameAt, 'latin1');
    buffer[nameAt + name.length] = 0;
    return this.#finish(FuseNotify.INVAL_ENTRY, nameAt + name.length + 1);
  }

  /** struct fuse_notify_inval_inode_out. */
  #putNode(node: NodeId, contents: boolean): number {
    const { buffer } = this.#memory;
    const body = OutHeader.size;
    buffer.writeBigUInt64LE(BigInt(node), body + InvalInodeOut.ino);
    buffer.writeBigInt64LE(contents ? 0n : ATTRIBUTES_ONLY, body + InvalInodeOut.off);
    buffer.writeBigInt64LE(0n, body + InvalInodeOut.len);
    return this.#finish(FuseNotify.INVAL_INODE, body + InvalInodeOut.size);
  }

  /** A message with number 0 is a notification, and its error field the code of it. */
  #finish(code: number, length: number): number {
    const { buffer } = this.#memory;
    buffer.writeUInt32LE(length, OutHeader.len);
    buffer.writeInt32LE(code, OutHeader.error);
    buffer.writeBigUInt64LE(0n, OutHeader.unique);
    return length;
  }
}
