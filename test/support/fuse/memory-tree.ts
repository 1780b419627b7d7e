import type {
  AttrChange,
  Caller,
  DirectorySink,
  Entry,
  FuseOperations,
  Opened,
} from '../../../src/core/fuse/port.js';
import { PARK, ROOT_NODE, SetattrValid } from '../../../src/core/fuse/port.js';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, Attr } from '../../../src/core/system/attr.js';
import { E, ENODATA } from '../../../src/core/system/errno.js';
import { O_TRUNC, type FileSystemStatus } from '../../../src/core/system/files.js';
import { copyMemory, Memory } from '../../../src/core/system/native.js';
import { MemoryNode } from './memory-node.js';

export type Guarded =
  | 'create' | 'getattr' | 'lookup' | 'mkdir' | 'mknod' | 'open' | 'readdir'
  | 'rename' | 'setattr' | 'unlink' | 'write'; // prettier-ignore

const scratch = new Memory(65536);

/** A small file system in memory, for tests of bindings. Operations can be made to park or to throw. */
export class MemoryTree implements FuseOperations {
  readonly root = new MemoryNode(S_IFDIR | 0o755, ROOT_NODE);
  /** How often each of the guarded operations was called. */
  readonly calls = new Map<Guarded, number>();
  /** Operations that answer PARK for now. */
  readonly parking = new Set<Guarded>();
  /** Operations that throw. */
  readonly throwing = new Set<Guarded>();
  /** Called at the start of each guarded operation. */
  onCall: (operation: Guarded) => void = () => undefined;
  opened = 0;
  readonly #nodes = new Map([[ROOT_NODE, this.root]]);

  /** The node at a path without leading slash; the root for the empty one. */
  at(path: string): MemoryNode {
    let node = this.root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const next = node.names.get(name);
      if (next === undefined) throw new Error(`no ${name} in the tree`);
      node = next;
    }
    return node;
  }

  /** Makes a file behind the kernel's back. */
  put(directory: MemoryNode, name: string, text: string): MemoryNode {
    const node = this.#add(directory, name, new MemoryNode(S_IFREG | 0o644));
    node.setText(text);
    return node;
  }

  /** Lookups of all nodes but the root's that the kernel holds. */
  get lookups(): number {
    let sum = 0;
    for (const node of this.#nodes.values()) if (node !== this.root) sum += node.lookups;
    return sum;
  }

  #enter(operation: Guarded): number {
    this.calls.set(operation, (this.calls.get(operation) ?? 0) + 1);
    this.onCall(operation);
    if (this.throwing.has(operation)) throw new Error(`${operation} was told to throw`);
    return this.parking.has(operation) ? PARK : 0;
  }

  #get(id: number): MemoryNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`the kernel asks for the unknown node ${id}`);
    return node;
  }

  #add(directory: MemoryNode, name: string, node: MemoryNode, caller?: Caller): MemoryNode {
    node.uid = caller?.uid ?? 0;
    node.gid = caller?.gid ?? 0;
    node.parent = directory;
    directory.names.set(name, node);
    if (node.isDirectory) {
      node.nlink = 2;
      directory.nlink++;
    }
    this.#nodes.set(node.id, node);
    return node;
  }

  #give(node: MemoryNode, out: Entry): number {
    out.node = node.id;
    out.generation = 1;
    node.fill(out.attr);
    node.lookups++;
    return 0;
  }

  #make(caller: Caller, parent: number, name: string, node: MemoryNode, out: Entry): number {
    const directory = this.#get(parent);
    if (directory.names.has(name)) return -E.EEXIST;
    return this.#give(this.#add(directory, name, node, caller), out);
  }

  lookup(parent: number, name: string, out: Entry): number {
    const ready = this.#enter('lookup');
    if (ready !== 0) return ready;
    const node = this.#get(parent).names.get(name);
    // Node 0: the kernel may remember that there is none.
    return node === undefined ? 0 : this.#give(node, out);
  }

  forget(id: number, count: number): void {
    const node = this.#get(id);
    node.lookups -= count;
    if (node.lookups < 0 && node !== this.root) throw new Error(`node ${id} forgotten too often`);
  }

  isKnown = (id: number): boolean => (this.#nodes.get(id)?.lookups ?? 0) > 0;
  awaitsRoom = (): boolean => false;
  isDirectory = (id: number, name: string): boolean =>
    this.#nodes.get(id)?.names.get(name)?.isDirectory === true;

  getattr(id: number, out: Attr): number {
    const ready = this.#enter('getattr');
    if (ready !== 0) return ready;
    this.#get(id).fill(out);
    return 0;
  }

  setattr(_caller: Caller, id: number, change: AttrChange, out: Attr): number {
    const ready = this.#enter('setattr');
    if (ready !== 0) return ready;
    const node = this.#get(id);
    const has = (bit: number) => (change.valid & bit) !== 0;
    if (has(SetattrValid.mode)) node.mode = (node.mode & S_IFMT) | (change.mode & 0o7777);
    if (has(SetattrValid.uid)) node.uid = change.uid;
    if (has(SetattrValid.gid)) node.gid = change.gid;
    if (has(SetattrValid.size)) node.resize(change.size);
    if (has(SetattrValid.mtime) && !has(SetattrValid.mtimeNow)) {
      node.mtimeSec = change.mtimeSec;
      node.mtimeNsec = change.mtimeNsec;
    }
    if (has(SetattrValid.atime) && !has(SetattrValid.atimeNow)) {
      node.atimeSec = change.atimeSec;
      node.atimeNsec = change.atimeNsec;
    }
    node.fill(out);
    return 0;
  }

  readlink(id: number, address: number, size: number): number {
    const { target } = this.#get(id);
    scratch.buffer.write(target, 'latin1');
    return copyMemory(scratch.address, address, Math.min(size, target.length));
  }

  mknod(
    caller: Caller,
    parent: number,
    name: string,
    mode: number,
    umask: number,
    rdev: number,
    out: Entry,
  ): number {
    const ready = this.#enter('mknod');
    if (ready !== 0) return ready;
    const node = new MemoryNode(mode & ~umask);
    node.rdev = rdev;
    return this.#make(caller, parent, name, node, out);
  }

  mkdir(
    caller: Caller,
    parent: number,
    name: string,
    mode: number,
    umask: number,
    out: Entry,
  ): number {
    const ready = this.#enter('mkdir');
    if (ready !== 0) return ready;
    return this.#make(
      caller,
      parent,
      name,
      new MemoryNode(S_IFDIR | (mode & 0o7777 & ~umask)),
      out,
    );
  }

  symlink(caller: Caller, parent: number, name: string, target: string, out: Entry): number {
    const node = new MemoryNode(S_IFLNK | 0o777);
    node.target = target;
    node.size = target.length;
    return this.#make(caller, parent, name, node, out);
  }

  unlink(_caller: Caller, parent: number, name: string): number {
    const ready = this.#enter('unlink');
    if (ready !== 0) return ready;
    const directory = this.#get(parent);
    const node = directory.names.get(name);
    if (node === undefined) return -E.ENOENT;
    node.nlink--;
    directory.names.delete(name);
    return 0;
  }

  rmdir(_caller: Caller, parent: number, name: string): number {
    const directory = this.#get(parent);
    const node = directory.names.get(name);
    if (node === undefined) return -E.ENOENT;
    if (node.names.size > 0) return -E.ENOTEMPTY;
    node.nlink = 0;
    directory.nlink--;
    directory.names.delete(name);
    return 0;
  }

  rename(
    _caller: Caller,
    parent: number,
    name: string,
    newParent: number,
    newName: string,
    flags: number,
  ): number {
    const ready = this.#enter('rename');
    if (ready !== 0) return ready;
    const from = this.#get(parent);
    const to = this.#get(newParent);
    const node = from.names.get(name);
    const target = to.names.get(newName);
    if (node === undefined) return -E.ENOENT;
    if (target !== undefined && (flags & 1) !== 0) return -E.EEXIST;
    from.names.delete(name);
    to.names.set(newName, node);
    node.parent = to;
    if ((flags & 2) !== 0 && target !== undefined) from.names.set(name, target);
    return 0;
  }

  link(_caller: Caller, id: number, newParent: number, newName: string, out: Entry): number {
    const node = this.#get(id);
    this.#get(newParent).names.set(newName, node);
    node.nlink++;
    return this.#give(node, out);
  }

  open(_caller: Caller, id: number, flags: number, out: Opened): number {
    const ready = this.#enter('open');
    if (ready !== 0) return ready;
    if ((flags & O_TRUNC) !== 0) this.#get(id).resize(0);
    out.handle = ++this.opened;
    out.keepCache = true;
    return 0;
  }

  create(
    caller: Caller,
    parent: number,
    name: string,
    mode: number,
    umask: number,
    _flags: number,
    out: Entry,
    opened: Opened,
  ): number {
    const ready = this.#enter('create');
    if (ready !== 0) return ready;
    opened.handle = ++this.opened;
    return this.#make(
      caller,
      parent,
      name,
      new MemoryNode(S_IFREG | (mode & 0o7777 & ~umask)),
      out,
    );
  }

  read(id: number, _handle: number, offset: number, size: number, address: number): number {
    return this.#get(id).read(offset, size, address);
  }

  write(
    _caller: Caller,
    id: number,
    _handle: number,
    offset: number,
    size: number,
    address: number,
  ): number {
    const ready = this.#enter('write');
    return ready === 0 ? this.#get(id).write(offset, size, address) : ready;
  }

  flush(): number {
    return 0;
  }

  release(): number {
    this.opened--;
    return 0;
  }

  fsync(): number {
    return 0;
  }

  opendir(): number {
    return 0;
  }

  readdir(id: number, _handle: number, offset: number, sink: DirectorySink): number {
    const ready = this.#enter('readdir');
    if (ready !== 0) return ready;
    const entry: Entry = { node: 0, generation: 0, attr: new Attr() };
    const names = [...this.#get(id).names];
    for (let index = offset; index < names.length; index++) {
      const [name, node] = names[index] ?? ['', this.root];
      if (sink.plus) this.#give(node, entry);
      if (!sink.add(name, node.id, node.mode >> 12, index + 1, sink.plus ? entry : undefined)) {
        if (sink.plus) node.lookups--;
        break;
      }
    }
    return 0;
  }

  releasedir(): number {
    return 0;
  }

  fsyncdir(): number {
    return 0;
  }

  statfs(_node: number, out: FileSystemStatus): number {
    out.blockSize = out.fragmentSize = 4096;
    out.blocks = 5_000_000_000;
    out.blocksFree = out.blocksAvailable = 4_000_000_000;
    out.files = 1000;
    out.filesFree = 1000 - this.#nodes.size;
    out.nameMax = 255;
    return 0;
  }

  setxattr(_caller: Caller, id: number, name: string, value: Buffer): number {
    this.#get(id).xattrs.set(name, Buffer.from(value));
    return 0;
  }

  #putValue(value: Buffer, address: number, size: number): number {
    if (size === 0) return value.length;
    if (value.length > size) return -E.ERANGE;
    value.copy(scratch.buffer);
    return copyMemory(scratch.address, address, value.length);
  }

  getxattr(id: number, name: string, address: number, size: number): number {
    const value = this.#get(id).xattrs.get(name);
    return value === undefined ? -ENODATA : this.#putValue(value, address, size);
  }

  listxattr(_caller: Caller, id: number, address: number, size: number): number {
    const names = [...this.#get(id).xattrs.keys()].map((name) => `${name}\0`).join('');
    return this.#putValue(Buffer.from(names, 'latin1'), address, size);
  }

  removexattr(_caller: Caller, id: number, name: string): number {
    return this.#get(id).xattrs.delete(name) ? 0 : -ENODATA;
  }

  readonly tmpfile = (): number => -E.EOPNOTSUPP;
  readonly setflags = (): number => -E.EOPNOTSUPP;
  readonly getflags = (): number => 0;
  readonly syncfs = (): number => 0;

  copyFileRange(): number {
    return -E.EOPNOTSUPP;
  }

  fallocate(
    _caller: Caller,
    id: number,
    _handle: number,
    _mode: number,
    offset: number,
    length: number,
  ): number {
    const node = this.#get(id);
    node.resize(Math.max(node.size, offset + length));
    return 0;
  }

  lseek(id: number, _handle: number, offset: number, whence: number): number {
    const { size } = this.#get(id);
    if (offset >= size) return -E.ENXIO;
    // SEEK_DATA: all of it is data; SEEK_HOLE: the hole behind the end.
    return whence === 3 ? offset : size;
  }
}
