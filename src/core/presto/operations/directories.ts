import type { DirectorySink, Entry, NodeId, Opened } from '../../fuse/port.js';
import { isReservedAtRoot } from '../../model/names.js';
import { Attr } from '../../system/attr.js';
import { E } from '../../system/errno.js';
import {
  O_RDONLY,
  fstatvfs,
  fsync,
  getdents64,
  seekDirectory,
  syncfs,
  type FileSystemStatus,
} from '../../system/files.js';
import { Memory } from '../../system/native.js';
import type { PrestoCore } from '../core.js';
import type { Node } from '../tree/node.js';
import type { DirectoryCookies } from '../tree/directory-cookies.js';

const BATCH_BYTES = 32 * 1024;
/** The longest entry, with a name of 255 bytes. */
const ENTRY_BYTES = 280;
// struct linux_dirent64: u64 ino, s64 off, u16 reclen, u8 type, name.
const DIRENT_OFF = 8;
const DIRENT_RECLEN = 16;
const DIRENT_TYPE = 18;
const DIRENT_NAME = 19;

/** Where the name from `at` ends, in an entry that ends before `end`: the NUL is among its last eight bytes. */
function nameEnd(buffer: Buffer, at: number, end: number): number {
  let nul = Math.max(at, end - 8);
  while (buffer[nul] !== 0) nul++;
  return nul;
}

/** Reading directories. Offsets are those of the lower file system: they stay valid while the directory changes. */
export class DirectoryOperations {
  readonly #batch = new Memory(BATCH_BYTES);
  readonly #words = new Uint32Array(this.#batch.buffer.buffer);
  readonly #entry: Entry = { node: 0, generation: 0, attr: new Attr() };

  constructor(private readonly core: PrestoCore) {}

  opendir(id: NodeId, out: Opened): number {
    const node = this.core.table.get(id);
    if (node === undefined) return -E.ENOENT;
    // A descriptor of its own, because it has a position.
    const fd = this.core.tree.openDirectory(node);
    if (fd < 0) return fd;
    out.handle = this.core.files.add(node, fd, O_RDONLY, false);
    return 0;
  }

  readdir(_id: NodeId, handle: number, offset: number, sink: DirectorySink): number {
    const file = this.core.files.ready(handle);
    if (typeof file === 'number') return file;
    const { cookies } = file;
    if (cookies === undefined) return -E.ENOTDIR;
    if (cookies.position !== offset) {
      const lower = cookies.seek(offset);
      if (lower === undefined) return -E.EINVAL;
      const result = seekDirectory(file.fd, lower);
      if (result < 0) return result;
    }
    // Until something was given: the kernel takes an empty answer for the end.
    const empty = sink.room;
    for (let room = empty; room === empty || room >= ENTRY_BYTES; room = sink.room) {
      const size = Math.min(Math.max(room, ENTRY_BYTES), BATCH_BYTES);
      const length = getdents64(file.fd, this.#batch.address, size);
      if (length <= 0) return length;
      if (!this.#give(file.node, cookies, length, sink)) {
        // The kernel asks again from the last entry it got; the lower position is beyond it.
        cookies.lost();
        return 0;
      }
    }
    return 0;
  }

  /** Hands a batch of lower entries on. @returns false when the answer is full. */
  #give(directory: Node, cookies: DirectoryCookies, length: number, sink: DirectorySink): boolean {
    const { buffer } = this.#batch;
    const words = this.#words;
    const isRoot = directory === this.core.table.root;
    let at = 0;
    while (at < length) {
      const next = cookies.next(
        words[(at + DIRENT_OFF) >> 2] ?? 0,
        words[(at + DIRENT_OFF + 4) >> 2] ?? 0,
      );
      const size = (words[(at + DIRENT_RECLEN) >> 2] ?? 0) & 0xffff;
      const type = buffer[at + DIRENT_TYPE] ?? 0;
      const ino = words[at >> 2] ?? 0;
      const from = at + DIRENT_NAME;
      const bytes = nameEnd(buffer, from, at + size) - from;
      const fits =
        isRoot || sink.plus
          ? this.#giveOne(
              directory,
              buffer.toString('latin1', from, from + bytes),
              ino,
              type,
              next,
              sink,
            )
          : sink.addBytes(buffer, from, bytes, ino, type, next);
      if (!fits) return false;
      cookies.given();
      at += size;
    }
    return true;
  }

  #giveOne(
    directory: Node,
    name: string,
    ino: number,
    type: number,
    next: number,
    sink: DirectorySink,
  ): boolean {
    if (directory === this.core.table.root && isReservedAtRoot(name)) return true;
    if (!sink.plus || name === '.' || name === '..') {
      return sink.add(name, ino, type, next, undefined);
    }
    // What the kernel knows it need not be told again: a list of names that are known is one of names only.
    const known = this.core.table.known(directory, name);
    if (known !== undefined && known.lookups > 0) {
      return sink.add(name, ino, type, next, undefined);
    }
    const entry = this.#entry;
    const node = this.core.table.find(directory, name, entry.attr);
    if (typeof node === 'number') return sink.add(name, ino, type, next, undefined);
    entry.node = node.id;
    node.lookups++;
    if (sink.add(name, ino, type, next, entry)) return true;
    this.core.table.forget(node, 1);
    return false;
  }

  releasedir(_id: NodeId, handle: number): number {
    this.core.files.remove(handle);
    return 0;
  }

  fsyncdir(_id: NodeId, handle: number): number {
    const file = this.core.files.ready(handle);
    if (typeof file === 'number') return file;
    // In this order the second finds all committed, and nothing to flush.
    const result = this.core.logs.kml.sync();
    return result < 0 ? result : fsync(file.fd);
  }

  statfs(_id: NodeId, out: FileSystemStatus): number {
    return fstatvfs(this.core.table.root.fd, out);
  }

  /** Contents, records and everything else of the cache are one file system. */
  syncfs(): number {
    return syncfs(this.core.table.root.fd);
  }
}
