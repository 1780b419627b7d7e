import type { Attr } from '../system/attr.js';
import type { FileSystemStatus } from '../system/files.js';
import type { RequestWatcher } from './watcher.js';

/**
 * The port between the kernel and the file system: bindings carry requests, operations answer them. Operations are
 * synchronous and return 0 or a count, or a negated errno, or PARK. Objects passed as `out`, and the caller, are reused:
 * they are valid until the operation returns. Names are bytes (latin1 strings).
 */

/**
 * `fuse` with a subtype: umount(8) then calls /sbin/umount.fuse.InterMezzo. As root it does so with `-c` only: else libmount
 * takes the type from statfs(2), which has no subtypes, and looks for /sbin/umount.fuse.
 */
export const FUSE_TYPE = 'fuse.InterMezzo';

/** The kernel's name for an inode while it knows it. The root is 1. */
export type NodeId = number;
export const ROOT_NODE: NodeId = 1;

/**
 * Answer of an operation that cannot go on yet (it waits for the permit): the binding keeps the request and presents it
 * again, in the order of arrival, at `resumeParked`. Such an operation has changed nothing.
 */
export const PARK = 1_000_000_000_000;

/** The process that made the request. */
export interface Caller {
  uid: number;
  gid: number;
  pid: number;
}

/** A name found or made. `node` 0 with result 0: the name does not exist, and the kernel may remember that. */
export interface Entry {
  node: NodeId;
  /** Tells two uses of one node id apart. */
  generation: number;
  readonly attr: Attr;
}

/** A file opened. */
export interface Opened {
  /** The file system's own number for it. */
  handle: number;
  /** Pages the kernel has cached for the file are still good. */
  keepCache: boolean;
  /** Reads and writes bypass the kernel's page cache. */
  directIo: boolean;
  /**
   * The kernel reads and maps this lower file itself, see FuseBinding.openBacking; 0 for none. With `directIo` it only maps
   * it: reads and writes come here.
   */
  backing: number;
  /** Closing a descriptor needs no FLUSH. */
  noFlush: boolean;
}

export function newOpened(): Opened {
  return { handle: 0, keepCache: false, directIo: false, backing: 0, noFlush: false };
}

/** Which attributes to change, FATTR_* in linux/fuse.h; bits of `valid`. */
export const SetattrValid = {
  mode: 1 << 0,
  uid: 1 << 1,
  gid: 1 << 2,
  size: 1 << 3,
  atime: 1 << 4,
  mtime: 1 << 5,
  handle: 1 << 6,
  atimeNow: 1 << 7,
  mtimeNow: 1 << 8,
  killSuidgid: 1 << 11,
} as const;

export interface AttrChange {
  valid: number;
  handle: number;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  atimeSec: number;
  atimeNsec: number;
  mtimeSec: number;
  mtimeNsec: number;
}

/** Collects the entries of one readdir answer. */
export interface DirectorySink {
  /** True where the kernel wants attributes and a lookup with each entry (READDIRPLUS). */
  readonly plus: boolean;
  /** So many bytes of a lower directory's entries (struct linux_dirent64) fit for certain, whatever the names are. */
  readonly room: number;
  /**
   * Adds one entry. `next` is the offset to continue from after it; `type` is DT_* of dirent.h. With `plus`, `entry` is
   * the looked-up entry; undefined for one that gets none (`.` and `..`).
   * @returns false where it does not fit: then it was not added.
   */
  add(name: string, ino: number, type: number, next: number, entry: Entry | undefined): boolean;
  /** The same for an entry that gets none, whose name is `length` bytes of `from` at `at`: for large directories. */
  addBytes(
    from: Buffer,
    at: number,
    length: number,
    ino: number,
    type: number,
    next: number,
  ): boolean;
}

/** What a file system does with each request. Sizes and offsets are bytes; addresses are of memory that stays put. */
export interface FuseOperations {
  lookup(parent: NodeId, name: string, out: Entry): number;
  /** The kernel gives back `count` of the lookups it was answered for `node`. */
  forget(node: NodeId, count: number): void;
  /** Whether the kernel was told of the node and has not forgotten it. */
  isKnown(node: NodeId): boolean;
  /** Whether there may be more room on the disk as soon as the kernel has forgotten, or closed, what has no name any more. */
  awaitsRoom(): boolean;
  /** Whether there is such a name, and what stands there is a directory. */
  isDirectory(parent: NodeId, name: string): boolean;
  getattr(node: NodeId, out: Attr): number;
  setattr(caller: Caller, node: NodeId, change: AttrChange, out: Attr): number;
  /** Puts the target at `address`, at most `size` bytes. @returns its length. */
  readlink(node: NodeId, address: number, size: number): number;
  /** `umask`: the caller's, not applied to `mode` yet; so for `mkdir` and `create`. */
  mknod(
    caller: Caller,
    parent: NodeId,
    name: string,
    mode: number,
    umask: number,
    rdev: number,
    out: Entry,
  ): number;
  mkdir(
    caller: Caller,
    parent: NodeId,
    name: string,
    mode: number,
    umask: number,
    out: Entry,
  ): number;
  unlink(caller: Caller, parent: NodeId, name: string): number;
  rmdir(caller: Caller, parent: NodeId, name: string): number;
  symlink(caller: Caller, parent: NodeId, name: string, target: string, out: Entry): number;
  rename(
    caller: Caller,
    parent: NodeId,
    name: string,
    newParent: NodeId,
    newName: string,
    flags: number,
  ): number;
  link(caller: Caller, node: NodeId, newParent: NodeId, newName: string, out: Entry): number;
  open(caller: Caller, node: NodeId, flags: number, out: Opened): number;
  create(
    caller: Caller,
    parent: NodeId,
    name: string,
    mode: number,
    umask: number,
    flags: number,
    out: Entry,
    opened: Opened,
  ): number;
  /** Makes and opens a file that has no name, on the file system of `parent`. `link` can give it one. */
  tmpfile(
    caller: Caller,
    parent: NodeId,
    mode: number,
    umask: number,
    flags: number,
    out: Entry,
    opened: Opened,
  ): number;
  /** Puts up to `size` bytes at `address`. @returns how many; fewer only at the end of the file. */
  read(node: NodeId, handle: number, offset: number, size: number, address: number): number;
  /**
   * `cached`: the kernel writes pages of a shared mapping back; the caller may then be nobody. `append`: the program opened
   * the file with O_APPEND, and `offset` is where the kernel believes the end to be.
   */
  write(
    caller: Caller,
    node: NodeId,
    handle: number,
    offset: number,
    size: number,
    address: number,
    cached: boolean,
    append: boolean,
  ): number;
  /** One of the descriptors of an open file was closed. */
  flush(caller: Caller, node: NodeId, handle: number): number;
  /** The last one was. Never parks: the handle is gone afterwards. */
  release(caller: Caller, node: NodeId, handle: number): number;
  fsync(caller: Caller, node: NodeId, handle: number, dataOnly: boolean): number;
  opendir(node: NodeId, out: Opened): number;
  readdir(node: NodeId, handle: number, offset: number, sink: DirectorySink): number;
  releasedir(node: NodeId, handle: number): number;
  fsyncdir(node: NodeId, handle: number): number;
  statfs(node: NodeId, out: FileSystemStatus): number;
  /** Makes everything durable, see syncfs(2). */
  syncfs(node: NodeId): number;
  setxattr(caller: Caller, node: NodeId, name: string, value: Buffer, flags: number): number;
  /** Size 0 asks for the length only. @returns the value's length; -ERANGE where it does not fit. */
  getxattr(node: NodeId, name: string, address: number, size: number): number;
  listxattr(caller: Caller, node: NodeId, address: number, size: number): number;
  removexattr(caller: Caller, node: NodeId, name: string): number;
  /** @returns the inode flags of a file or directory, bits of ObjectFlag */
  getflags(node: NodeId): number;
  /** Replaces all of them. */
  setflags(caller: Caller, node: NodeId, flags: number): number;
  fallocate(
    caller: Caller,
    node: NodeId,
    handle: number,
    mode: number,
    offset: number,
    length: number,
  ): number;
  lseek(node: NodeId, handle: number, offset: number, whence: number): number;
  /** Copies from one open file to another. @returns how many bytes, fewer than `length` also where there are more. */
  copyFileRange(
    caller: Caller,
    node: NodeId,
    handle: number,
    offset: number,
    toNode: NodeId,
    toHandle: number,
    toOffset: number,
    length: number,
  ): number;
}

/** How requests come from the kernel. One mount each. */
export interface FuseBinding {
  readonly kind: 'device' | 'native';
  /** Begins to serve `operations`. Resolves when the kernel has shaken hands and the mount answers. */
  serve(operations: FuseOperations): Promise<void>;
  /** Presents parked requests again, oldest first. Those that park again keep their place. */
  resumeParked(): void;
  /**
   * Whether the kernel may refuse to move a directory that it knows by another name to the one by which the request being
   * served looks it up: it only tries the locks for that (__d_unalias in fs/dcache.c), and the thread that asks holds them
   * itself in rename(2), or one whose request is parked does. It passes ESTALE on to the program then.
   */
  isContested(): boolean;
  /** Requests parked now. */
  readonly parked: number;
  /** Shows the requests from now on to `watcher`, and those that wait; undefined: to nobody. Not from inside an operation. */
  watch(watcher: RequestWatcher | undefined): void;
  /**
   * Tells the kernel that the entry `name` of `parent` is not what it remembers (also where it remembers that there is
   * none). Returns at once: the kernel may have to wait for requests that this same process has yet to answer.
   */
  invalidateEntry(parent: NodeId, name: string): void;
  /** The same for a node's attributes and, with `contents`, its cached pages. */
  invalidateNode(node: NodeId, contents: boolean): void;
  /**
   * Lets the kernel pass open files through to the lower file that `fd` has open. An inode can be passed through to one
   * lower file at a time, and not while an open file uses the kernel's page cache; all that open it meanwhile have to be
   * answered with this number. The descriptor may be closed at once. @returns a number above 0 for Opened.backing, or a
   * negated errno: the kernel cannot, or not this file.
   */
  openBacking(fd: number): number;
  /** No further open will be answered with it. */
  closeBacking(backing: number): void;
  /** Resolves when the invalidations asked for so far are done, or after `timeoutMs`. */
  invalidated(timeoutMs: number): Promise<void>;
  /**
   * umount2(2), also where `serve` was not called or failed. Go on serving meanwhile: the kernel writes dirty pages back first.
   * `lazy`: out of the tree at once, gone when nobody uses it any more. @throws SystemError, with EBUSY where somebody does.
   */
  unmount(lazy: boolean): Promise<void>;
  /** Stops serving, whoever still uses the mount: all they ask for fails from now on. Resolves as `unmounted` does. */
  cut(): Promise<void>;
  /** Resolves when the mount is gone (unmounted by anyone); after that no operation is called. */
  readonly unmounted: Promise<void>;
}
