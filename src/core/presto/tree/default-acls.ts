import { bitsOfDefaultAcl, DEFAULT_ACL } from '../../model/acl.js';
import { E, ENODATA } from '../../system/errno.js';
import { Memory } from '../../system/native.js';
import { fgetxattr } from '../../system/xattrs.js';
import type { Node } from './node.js';
import type { NodeTable } from './node-table.js';

const ALL = 0o777;
/** As large as an attribute can be on ext3: a block. */
const memory = new Memory(65536);

/** What directories' default ACLs leave of the modes of new objects, remembered per directory. */
export class DefaultAcls {
  constructor(private readonly table: NodeTable) {}

  /**
   * What `umask` and the default ACL of `directory` leave of `mode`: the umask counts where there is no such ACL. The ACLs
   * themselves are given to the new object by the lower file system.
   * @returns a mode, or a negated errno
   */
  apply(directory: Node, mode: number, umask: number): number {
    directory.defaultBits ??= this.#read(directory);
    const bits = directory.defaultBits;
    if (bits >= 0) return mode & (bits | ~ALL);
    if (bits === -ENODATA) return mode & ~(umask & ALL);
    directory.defaultBits = undefined;
    return bits;
  }

  /** Whether new objects in `directory` inherit ACLs. */
  isSet(directory: Node): boolean {
    directory.defaultBits ??= this.#read(directory);
    return directory.defaultBits >= 0;
  }

  #read(directory: Node): number {
    const fd = this.table.directoryFd(directory);
    if (fd < 0) return fd;
    const length = fgetxattr(fd, DEFAULT_ACL, memory.address, memory.length);
    // A lower file system without ACLs.
    if (length === -E.EOPNOTSUPP) return -ENODATA;
    return length < 0 ? length : bitsOfDefaultAcl(memory.buffer, length);
  }
}
