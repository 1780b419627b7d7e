import type { NodeId } from '../port.js';
import { FuseOpcode, Rename2In, RenameIn } from './protocol.js';
import type { Request } from './request.js';

/**
 * What the kernel holds locked until a request is answered, as far as notifications need it: fs/fuse/dir.c takes the
 * directory's i_rwsem both around changes of names and in fuse_reverse_inval_entry(); pages of a write stay locked, and
 * fuse_reverse_inval_inode() waits for them.
 */
export interface KernelLocks {
  readonly directories: readonly NodeId[];
  /** The file whose pages are locked; 0 for none. */
  readonly pages: NodeId;
}

export function locksOf(request: Request): KernelLocks {
  const { node } = request;
  switch (request.opcode) {
    case FuseOpcode.CREATE:
    case FuseOpcode.MKNOD:
    case FuseOpcode.MKDIR:
    case FuseOpcode.SYMLINK:
    case FuseOpcode.LINK:
    case FuseOpcode.UNLINK:
    case FuseOpcode.RMDIR:
      return { directories: [node], pages: 0 };
    case FuseOpcode.RENAME:
      return { directories: [node, request.u64(RenameIn.newdir)], pages: 0 };
    case FuseOpcode.RENAME2:
      return { directories: [node, request.u64(Rename2In.newdir)], pages: 0 };
    case FuseOpcode.WRITE:
      return { directories: [], pages: node };
    default:
      return { directories: [], pages: 0 };
  }
}
