import type { FuseOperations } from '../../fuse/port.js';
import type { PrestoCore } from '../core.js';
import { AttributeOperations } from './attributes.js';
import { DirectoryOperations } from './directories.js';
import { FileOperations } from './files.js';
import { FlagOperations } from './flags.js';
import { NameOperations } from './names.js';
import { NamelessOperations } from './nameless.js';

/** What the mounted tree means, as the port wants it. */
export function prestoOperations(core: PrestoCore): FuseOperations {
  const files = new FileOperations(core);
  const nameless = new NamelessOperations(core, files);
  const names = new NameOperations(core, files, nameless);
  const attributes = new AttributeOperations(core);
  const flags = new FlagOperations(core);
  const directories = new DirectoryOperations(core);
  return {
    lookup: names.lookup.bind(names),
    forget: names.forget.bind(names),
    isKnown: names.isKnown.bind(names),
    awaitsRoom: () => core.table.keepsNameless,
    isDirectory: names.isDirectory.bind(names),
    create: names.create.bind(names),
    tmpfile: nameless.tmpfile.bind(nameless),
    mknod: names.mknod.bind(names),
    mkdir: names.mkdir.bind(names),
    symlink: names.symlink.bind(names),
    link: names.link.bind(names),
    unlink: names.unlink.bind(names),
    rmdir: names.rmdir.bind(names),
    rename: names.rename.bind(names),
    getattr: attributes.getattr.bind(attributes),
    setattr: attributes.setattr.bind(attributes),
    readlink: attributes.readlink.bind(attributes),
    setxattr: attributes.setxattr.bind(attributes),
    getxattr: attributes.getxattr.bind(attributes),
    listxattr: attributes.listxattr.bind(attributes),
    removexattr: attributes.removexattr.bind(attributes),
    getflags: flags.getflags.bind(flags),
    setflags: flags.setflags.bind(flags),
    open: files.open.bind(files),
    read: files.read.bind(files),
    write: files.write.bind(files),
    flush: files.flush.bind(files),
    release: files.release.bind(files),
    fsync: files.fsync.bind(files),
    fallocate: files.fallocate.bind(files),
    lseek: files.lseek.bind(files),
    copyFileRange: files.copyFileRange.bind(files),
    opendir: directories.opendir.bind(directories),
    readdir: directories.readdir.bind(directories),
    releasedir: directories.releasedir.bind(directories),
    fsyncdir: directories.fsyncdir.bind(directories),
    syncfs: directories.syncfs.bind(directories),
    statfs: directories.statfs.bind(directories),
  };
}
