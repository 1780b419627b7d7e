import { DEFAULT_ACL } from '../../model/acl.js';
import { AttrMask, type SetattrBody, type Time } from '../../model/records.js';
import type { Identity } from '../../cache/identity.js';
import { Attr, S_IFLNK, S_IFMT, S_ISGID } from '../../system/attr.js';
import {
  AT_REMOVEDIR,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  UTIME_OMIT,
  close,
  fchmod,
  fchmodat,
  fchownat,
  futimens,
  linkat,
  mkdirat,
  mknodat,
  openat,
  renameat2,
  stat,
  symlinkat,
  unlinkat,
  utimensat,
} from '../../system/files.js';
import { removexattrAt, setxattrAt } from '../../system/xattrs.js';
import { DefaultAcls } from './default-acls.js';
import { IdentityStore } from './identity-store.js';
import type { HeldFile } from './held-file.js';
import type { Node } from './node.js';
import type { NodeTable } from './node-table.js';

/** What a program may do that is executed (setcap(8)). */
export const CAPABILITIES = 'security.capability';
const RENAME_EXCHANGE = 2;
/** Of chown(2): leave it as it is. */
export const NOBODY = 0xffffffff;
/** Of new objects, unless their directory passes its group on. */
const OWN = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
const SPECIAL_BITS = 0o7000;

/** What a new object is to be: final owner and mode, its identity, and the time of its making. */
export interface Making {
  readonly time: Time;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly identity: Identity;
}

/**
 * Carries out updates on the lower tree, for local programs and for peers alike, and keeps the node table in step. It
 * asks no permit and writes no journal. Times are set explicitly, so that all replicas have the same ones. Everything
 * returns 0 (or what it says) or a negated errno. The identity of a new object is written last: an object that has one
 * is complete. ACLs are the lower file system's: it gives new objects those of their directory's default ACL, and keeps
 * ACLs and modes in agreement, on all replicas alike.
 */
export class LowerTree {
  readonly identity: IdentityStore;
  readonly defaultAcls: DefaultAcls;
  /** Attributes of what was made last. */
  readonly attr = new Attr();

  constructor(readonly table: NodeTable) {
    this.identity = new IdentityStore(table);
    this.defaultAcls = new DefaultAcls(table);
  }

  /** @returns a descriptor open with `flags`; the node is at `name` then. */
  createFile(parent: Node, name: string, flags: number, making: Making): number {
    const directory = this.table.directoryFd(parent);
    if (directory < 0) return directory;
    const open = flags | O_CREAT | O_EXCL | O_NOFOLLOW;
    const fd = openat(directory, name, open, making.mode & ~SPECIAL_BITS);
    if (fd < 0) return fd;
    const result = this.#finish(directory, name, fd, making, parent);
    if (result < 0) {
      close(fd);
      unlinkat(directory, name);
      return result;
    }
    const node = this.table.known(parent, name);
    if (node !== undefined) node.incapable = true;
    return fd;
  }

  /** @returns a descriptor, open for reading and writing, of a file that has no name. */
  createNameless(parent: Node, mode: number, uid: number, gid: number): number {
    const directory = this.table.directoryFd(parent);
    if (directory < 0) return directory;
    const fd = openat(directory, '.', O_TMPFILE | O_RDWR, mode & 0o7777 & ~SPECIAL_BITS);
    if (fd < 0) return fd;
    let result = fchownat(fd, '', uid, gid);
    if (result >= 0 && (mode & SPECIAL_BITS) !== 0) result = fchmod(fd, mode & 0o7777);
    if (result >= 0) result = stat(fd, '', this.attr);
    if (result >= 0) return fd;
    close(fd);
    return result;
  }

  mkdir(parent: Node, name: string, making: Making): number {
    const directory = this.table.directoryFd(parent);
    if (directory < 0) return directory;
    let result = mkdirat(directory, name, making.mode & ~SPECIAL_BITS);
    if (result < 0) return result;
    const fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    result = fd < 0 ? fd : this.#finish(directory, name, fd, making, parent);
    if (result < 0) {
      if (fd >= 0) close(fd);
      unlinkat(directory, name, AT_REMOVEDIR);
      return result;
    }
    const node = this.table.known(parent, name);
    if (node !== undefined && node.fd < 0) this.table.descriptors.add(node, fd);
    else close(fd);
    return 0;
  }

  /** Fifos, sockets and devices. `rdev` as mknod(2) of the kernel takes it. */
  mknod(parent: Node, name: string, rdev: number, making: Making): number {
    const directory = this.table.directoryFd(parent);
    if (directory < 0) return directory;
    const result = mknodat(directory, name, making.mode & ~SPECIAL_BITS, rdev);
    return result < 0 ? result : this.#finishOrRemove(directory, name, making, parent);
  }

  symlink(parent: Node, name: string, target: string, making: Making): number {
    const directory = this.table.directoryFd(parent);
    if (directory < 0) return directory;
    const result = symlinkat(target, directory, name);
    return result < 0 ? result : this.#finishOrRemove(directory, name, making, parent);
  }

  #finishOrRemove(directory: number, name: string, making: Making, parent: Node): number {
    const result = this.#finish(directory, name, -1, making, parent);
    if (result < 0) unlinkat(directory, name);
    return result;
  }

  /** Owner, mode, times and identity of what was just made at `name`, open as `fd` or -1; and the directory's time. */
  #finish(directory: number, name: string, fd: number, making: Making, parent: Node): number {
    const { time } = making;
    const at = fd >= 0 ? fd : directory;
    const file = fd >= 0 ? '' : name;
    let result = this.#ownAs(at, file, making, parent);
    if (result >= 0) {
      result =
        fd >= 0
          ? futimens(fd, time.sec, time.nsec, time.sec, time.nsec)
          : utimensat(directory, name, time.sec, time.nsec, time.sec, time.nsec);
    }
    if (result >= 0) result = IdentityStore.writeAt(at, file, making.identity);
    if (result < 0) return result;
    this.touch(parent, time);
    result = stat(at, file, this.attr);
    if (result >= 0) this.table.place(parent, name, this.attr).identity = making.identity;
    return result;
  }

  /** What is made has our ids, or its directory's group, and its mode, but for what only chmod(2) gives. */
  #ownAs(at: number, file: string, making: Making, parent: Node): number {
    const group = this.groupPassedOn(parent);
    if (group < 0) return group;
    const { uid, gid, mode } = making;
    const isOwn = uid === OWN.uid && gid === (group === NOBODY ? OWN.gid : group);
    const result = isOwn ? 0 : fchownat(at, file, uid, gid);
    if (result < 0 || (mode & S_IFMT) === S_IFLNK) return result;
    if ((mode & SPECIAL_BITS) === 0 && !this.defaultAcls.isSet(parent)) return result;
    return file === '' ? fchmod(at, mode & 0o7777) : fchmodat(at, file, mode & 0o7777);
  }

  /** The group that a directory gives to what is made in it; NOBODY where it gives none. Or a negated errno. */
  groupPassedOn(directory: Node): number {
    if (directory.passedGroup === undefined) {
      const result = this.stat(directory, this.attr);
      if (result < 0) return result;
      directory.passedGroup = (this.attr.mode & S_ISGID) === 0 ? NOBODY : this.attr.gid;
    }
    return directory.passedGroup;
  }

  /** Gives a directory the modification time of an update of its entries. */
  touch(directory: Node, time: Time): void {
    const fd = this.table.directoryFd(directory);
    if (fd >= 0) futimens(fd, 0, UTIME_OMIT, time.sec, time.nsec);
  }

  /**
   * `touch` where a crash came before it. The lower file system then gave the directory both times, and the same ones;
   * `touch` leaves them different.
   */
  touchAfterCrash(directory: Node, time: Time): number {
    const { attr } = this;
    const result = this.stat(directory, attr);
    const own = attr.mtimeSec === attr.ctimeSec && attr.mtimeNsec === attr.ctimeNsec;
    if (result >= 0 && own) this.touch(directory, time);
    return result;
  }

  link(node: Node, parent: Node, name: string, time: Time): number {
    const directory = this.table.directoryFd(parent);
    if (directory < 0) return directory;
    const at = this.table.locate(node);
    if (at.fd < 0) return at.fd;
    let result = linkat(at.fd, at.name, directory, name);
    if (result < 0) return result;
    result = stat(directory, name, this.attr);
    if (result < 0) return result;
    this.table.place(parent, name, this.attr);
    this.touch(parent, time);
    return 0;
  }

  unlink(parent: Node, name: string, time: Time): number {
    return this.#remove(parent, name, 0, time);
  }

  rmdir(parent: Node, name: string, time: Time): number {
    return this.#remove(parent, name, AT_REMOVEDIR, time);
  }

  #remove(parent: Node, name: string, flags: number, time: Time): number {
    const directory = this.table.directoryFd(parent);
    if (directory < 0) return directory;
    const node = this.table.known(parent, name);
    let result = node === undefined ? 0 : this.table.pin(node);
    if (result >= 0) result = unlinkat(directory, name, flags);
    if (result < 0) return result;
    this.touch(parent, time);
    this.table.detach(parent, name);
    return 0;
  }

  /** `flags` of renameat2(2). */
  rename(
    parent: Node,
    name: string,
    newParent: Node,
    newName: string,
    flags: number,
    time: Time,
  ): number {
    const from = this.table.directoryFd(parent);
    if (from < 0) return from;
    const to = this.table.directoryFd(newParent);
    if (to < 0) return to;
    const replaced = this.table.known(newParent, newName);
    const moving = this.table.known(parent, name);
    const exchange = (flags & RENAME_EXCHANGE) !== 0;
    let result = replaced !== undefined && !exchange ? this.table.pin(replaced) : 0;
    if (result >= 0) result = renameat2(from, name, to, newName, flags);
    if (result < 0) return result;
    // rename(2) of two names of one file does nothing at all.
    if (!exchange && moving !== undefined && moving === replaced) return 0;
    this.touch(parent, time);
    if (newParent !== parent) this.touch(newParent, time);
    if (exchange) this.table.exchanged(parent, name, newParent, newName);
    else {
      if (replaced !== undefined) this.table.detach(newParent, newName);
      this.table.moved(parent, name, newParent, newName);
    }
    return 0;
  }

  /** Mode, owner and times; `change.valid` says which. The version is not written here. */
  setattr(node: Node, change: Omit<SetattrBody, 'op' | 'path'>): number {
    const at = this.table.locate(node);
    if (at.fd < 0) return at.fd;
    const { fd, name } = at;
    const { valid } = change;
    node.passedGroup = undefined;
    let result = 0;
    if ((valid & (AttrMask.uid | AttrMask.gid)) !== 0) {
      const uid = (valid & AttrMask.uid) !== 0 ? change.uid : NOBODY;
      const gid = (valid & AttrMask.gid) !== 0 ? change.gid : NOBODY;
      result = fchownat(fd, name, uid, gid);
    }
    if (result >= 0 && (valid & AttrMask.mode) !== 0) {
      result = this.#chmod(node, fd, name, change.mode & 0o7777);
    }
    if (result >= 0 && (valid & (AttrMask.atime | AttrMask.mtime)) !== 0) {
      const { atime, mtime } = change;
      result = utimensat(
        fd,
        name,
        atime.sec,
        (valid & AttrMask.atime) !== 0 ? atime.nsec : UTIME_OMIT,
        mtime.sec,
        (valid & AttrMask.mtime) !== 0 ? mtime.nsec : UTIME_OMIT,
      );
    }
    return result;
  }

  #chmod(node: Node, fd: number, name: string, mode: number): number {
    if (name !== '') return fchmodat(fd, name, mode);
    if (node.isDirectory) return fchmod(fd, mode);
    // fd is O_PATH, which fchmod(2) refuses.
    return fchmodat(-100, `/proc/self/fd/${fd}`, mode);
  }

  /** Sets an extended attribute; `flags` of setxattr(2). The version is not written here. */
  setxattr(node: Node, name: string, value: Buffer, flags = 0): number {
    const at = this.table.locate(node);
    if (at.fd < 0) return at.fd;
    if (name === DEFAULT_ACL) node.defaultBits = undefined;
    if (name === CAPABILITIES) node.incapable = false;
    // An ACL may take the setgid bit away.
    node.passedGroup = undefined;
    return setxattrAt(at.fd, at.name, name, value, flags);
  }

  removexattr(node: Node, name: string): number {
    const at = this.table.locate(node);
    if (at.fd < 0) return at.fd;
    if (name === DEFAULT_ACL) node.defaultBits = undefined;
    return removexattrAt(at.fd, at.name, name);
  }

  /** Attributes of a node as they are on disk. */
  stat(node: Node, out: Attr): number {
    const at = this.table.locate(node);
    return at.fd < 0 ? at.fd : stat(at.fd, at.name, out);
  }

  /** Opens a regular file. `flags` must not create. @returns a descriptor. */
  open(node: Node, flags: number): number {
    if (node.parent === undefined) {
      if (node.fd < 0) return -116;
      return openat(-100, `/proc/self/fd/${node.fd}`, flags & ~O_NOFOLLOW);
    }
    const at = this.table.locate(node);
    return at.fd < 0 ? at.fd : openat(at.fd, at.name, flags | O_NOFOLLOW);
  }

  /** A directory's position is its beginning. @returns a descriptor */
  openDirectory(node: Node): number {
    const directory = this.table.directoryFd(node);
    return directory < 0 ? directory : openat(directory, '.', O_RDONLY | O_DIRECTORY);
  }

  /** The descriptor of what is held open, opened again where it was closed to make room; or a negated errno. */
  descriptorOf(file: HeldFile): number {
    const { descriptors } = this.table;
    if (file.fd >= 0) descriptors.use(file);
    else {
      const { node, lowerFlags } = file;
      const fd = node.isDirectory ? this.openDirectory(node) : this.open(node, lowerFlags);
      if (fd < 0) return fd;
      descriptors.add(file, fd);
    }
    return file.fd;
  }

  /** True where two modes are of the same kind of file. */
  static sameKind(a: number, b: number): boolean {
    return (a & S_IFMT) === (b & S_IFMT);
  }
}
