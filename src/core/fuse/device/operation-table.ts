import * as attributes from './handlers/attributes.js';
import * as directories from './handlers/directories.js';
import * as files from './handlers/files.js';
import * as flags from './handlers/flags.js';
import * as forgetting from './handlers/forgetting.js';
import * as names from './handlers/names.js';
import type { Operation } from './operation.js';
import { FuseOpcode } from './protocol.js';

/**
 * Opcode -> how it is served. What is not here is answered ENOSYS: the kernel then does it itself (ACCESS by the mode
 * bits, locks, POLL) and mostly does not ask again.
 */
export const OPERATIONS: readonly (Operation | undefined)[] = table([
  [FuseOpcode.LOOKUP, names.lookup],
  [FuseOpcode.FORGET, forgetting.forget],
  [FuseOpcode.GETATTR, attributes.getattr],
  [FuseOpcode.SETATTR, attributes.setattr],
  [FuseOpcode.READLINK, attributes.readlink],
  [FuseOpcode.SYMLINK, names.symlink],
  [FuseOpcode.MKNOD, names.mknod],
  [FuseOpcode.MKDIR, names.mkdir],
  [FuseOpcode.UNLINK, names.unlink],
  [FuseOpcode.RMDIR, names.rmdir],
  [FuseOpcode.RENAME, names.rename],
  [FuseOpcode.LINK, names.link],
  [FuseOpcode.OPEN, files.open],
  [FuseOpcode.READ, files.read],
  [FuseOpcode.WRITE, files.write],
  [FuseOpcode.STATFS, attributes.statfs],
  [FuseOpcode.RELEASE, files.release],
  [FuseOpcode.FSYNC, files.fsync],
  [FuseOpcode.SETXATTR, attributes.setxattr],
  [FuseOpcode.GETXATTR, attributes.getxattr],
  [FuseOpcode.LISTXATTR, attributes.listxattr],
  [FuseOpcode.REMOVEXATTR, attributes.removexattr],
  [FuseOpcode.FLUSH, files.flush],
  [FuseOpcode.OPENDIR, directories.opendir],
  [FuseOpcode.READDIR, directories.readdir],
  [FuseOpcode.RELEASEDIR, directories.releasedir],
  [FuseOpcode.FSYNCDIR, directories.fsyncdir],
  [FuseOpcode.CREATE, files.create],
  [FuseOpcode.IOCTL, flags.ioctl],
  [FuseOpcode.BATCH_FORGET, forgetting.batchForget],
  [FuseOpcode.FALLOCATE, files.fallocate],
  [FuseOpcode.READDIRPLUS, directories.readdirplus],
  [FuseOpcode.RENAME2, names.rename2],
  [FuseOpcode.LSEEK, files.lseek],
  [FuseOpcode.COPY_FILE_RANGE, files.copyFileRange],
  [FuseOpcode.SYNCFS, directories.syncfs],
  [FuseOpcode.TMPFILE, files.tmpfile],
]);

function table(entries: readonly (readonly [number, Operation])[]): (Operation | undefined)[] {
  const byOpcode: (Operation | undefined)[] = [];
  for (const [opcode, operation] of entries) byOpcode[opcode] = operation;
  return byOpcode;
}
