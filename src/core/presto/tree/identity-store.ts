import {
  IDENTITY_BYTES_MAX,
  IDENTITY_XATTR,
  decodeIdentity,
  encodeIdentity,
  inheritedFlags,
  unidentified,
  type Identity,
} from '../../cache/identity.js';
import {
  NO_OBJECT,
  NO_STAMP,
  ROOT_OBJECT,
  sameObject,
  sameStamp,
  type Stamp,
} from '../../model/ids.js';
import { Memory } from '../../system/native.js';
import { fgetxattr, fsetxattr, getxattrAt, setxattrAt } from '../../system/xattrs.js';
import type { Node } from './node.js';
import type { NodeTable } from './node-table.js';

const memory = new Memory(IDENTITY_BYTES_MAX);

/** Reads and writes who an object is and which updates made it: the attribute `trusted.izo`. */
export class IdentityStore {
  constructor(private readonly table: NodeTable) {}

  /** An object that has no identity yet has NO_OBJECT and NO_STAMP. */
  of(node: Node): Identity {
    node.identity ??= this.#read(node);
    return node.identity;
  }

  /** Whether the disk has an identity for it. */
  isWritten(node: Node): boolean {
    return this.#get(node) > 0;
  }

  /** The identity with which an update is journaled: an object that has none yet gets it by that update. */
  forUpdate(node: Node, stamp: Stamp): Identity {
    const identity = this.of(node);
    if (!sameObject(identity.object, NO_OBJECT)) return identity;
    return { ...identity, object: { replica: stamp.replica, number: stamp.recno } };
  }

  /** The flags that a new object of this mode has from its directory. */
  inheritedFlags(directory: Node, mode: number): number {
    return inheritedFlags(this.of(directory).flags, mode);
  }

  #read(node: Node): Identity {
    const length = this.#get(node);
    const found = length > 0 ? decodeIdentity(memory.buffer, length) : undefined;
    return found ?? unidentified(node === this.table.root ? ROOT_OBJECT : NO_OBJECT);
  }

  /** Gives the object its identity. `fd`: a descriptor of it that is open anyway (not O_PATH), or -1. */
  write(node: Node, identity: Identity, fd = -1): number {
    const value = encodeIdentity(memory.buffer, asStored(node, identity));
    const result = this.#set(node, value, fd);
    if (result >= 0) node.identity = identity;
    return result;
  }

  /** For an object that `fd` has open and that no node stands for yet. */
  static writeTo(fd: number, identity: Identity): number {
    return fsetxattr(fd, IDENTITY_XATTR, encodeIdentity(memory.buffer, identity));
  }

  /** The same for what has `name` in the directory `at`, or that `at` has open where the name is empty. */
  static writeAt(at: number, name: string, identity: Identity): number {
    if (name === '') return IdentityStore.writeTo(at, identity);
    return setxattrAt(at, name, IDENTITY_XATTR, encodeIdentity(memory.buffer, identity));
  }

  #get(node: Node): number {
    const at = this.table.locate(node);
    if (at.fd < 0) return at.fd;
    return node.isDirectory
      ? fgetxattr(at.fd, IDENTITY_XATTR, memory.address, memory.length)
      : getxattrAt(at.fd, at.name, IDENTITY_XATTR, memory.address, memory.length);
  }

  #set(node: Node, value: Buffer, fd: number): number {
    if (fd >= 0) return fsetxattr(fd, IDENTITY_XATTR, value);
    const at = this.table.locate(node);
    if (at.fd < 0) return at.fd;
    return node.isDirectory
      ? fsetxattr(at.fd, IDENTITY_XATTR, value)
      : setxattrAt(at.fd, at.name, IDENTITY_XATTR, value);
  }
}

/**
 * While a file is being written its contents are no version that a record tells of, and the disk has none (see Contents),
 * whatever else of the file changes meanwhile; the node remembers which version there was.
 */
function asStored(node: Node, identity: Identity): Identity {
  const before = node.identity?.content;
  const written = node.dirtySlot >= 0 && before !== undefined;
  return written && sameStamp(identity.content, before)
    ? { ...identity, content: NO_STAMP }
    : identity;
}
