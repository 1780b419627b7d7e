import { PARK, type Caller, type NodeId, type Opened } from '../../fuse/port.js';
import { E } from '../../system/errno.js';
import {
  O_ACCMODE,
  O_DSYNC,
  O_RDONLY,
  O_RDWR,
  O_SYNC,
  O_TRUNC,
  close,
  copyFileRange,
  fallocate,
  fdatasync,
  fsync,
  lseek,
  SEEK_END,
  pread,
  pwrite,
  writeOut,
} from '../../system/files.js';
import type { PrestoCore } from '../core.js';
import type { Node } from '../tree/node.js';
import type { OpenFile } from '../tree/open-files.js';
import { lowerFlags } from '../tree/lower-flags.js';

/** Modes of fallocate(2) that move what is behind: FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE. */
const FALLOC_MOVES = 0x08 | 0x20;
/** Copied in one turn of the event loop. */
const COPY_BYTES = 16 * 1024 * 1024;

/**
 * The kernel opened by name what a peer has replaced: it has not dropped the name yet, and cannot while a request that waits
 * for the permit keeps the directory locked. Told ESTALE, it looks the name up again. Who then comes for the old version
 * once more has it from a descriptor (/proc/self/fd), and means it.
 */
function isOutdated(node: Node, { pid }: Caller): boolean {
  if (!node.replaced || node.refused === pid) return false;
  node.refused = pid;
  return true;
}

/** A shared mapping of a file that was opened so can be written to. */
function isMappable(flags: number): boolean {
  return (flags & O_ACCMODE) === O_RDWR;
}

/** Open files: reading, writing, syncing, closing. */
export class FileOperations {
  constructor(private readonly core: PrestoCore) {}

  open(caller: Caller, id: NodeId, flags: number, out: Opened): number {
    const { core } = this;
    const node = core.table.get(id);
    if (node === undefined) return -E.ENOENT;
    const writable = (flags & O_ACCMODE) !== O_RDONLY;
    const truncates = (flags & O_TRUNC) !== 0;
    const updates = writable || truncates;
    if (updates) {
      // As InterMezzo did: who opens for writing will write, so the permit is fetched before locks are held over it.
      const permit = core.gate.enter();
      if (permit !== 0) return permit;
    }
    // Who only reads may have what was there when its name was looked up a moment ago.
    const fresh = !updates && core.returning.has(caller);
    if (isOutdated(node, caller) && !fresh) return core.returning.sendBack(caller, updates);
    core.returning.isBack(caller);
    const allowed = core.guard.open(node, flags);
    if (allowed !== 0) return allowed;
    const fd = core.tree.open(node, lowerFlags(flags));
    if (fd < 0) return fd;
    if (truncates) {
      const truncated = core.contents.truncate(node, 0, caller, writable ? fd : -1);
      const result = core.guard.settled(truncated, node);
      if (result < 0) {
        close(fd);
        return result;
      }
    }
    return this.opened(caller, node, fd, flags, out);
  }

  /** Registers a descriptor as an open file of the kernel. */
  opened(caller: Caller, node: Node, fd: number, flags: number, out: Opened): number {
    const writable = (flags & O_ACCMODE) !== O_RDONLY;
    const mode = this.core.modes.open(node, fd, flags, out);
    out.handle = this.core.files.add(node, fd, flags, writable, mode);
    if (mode !== 'passed' || !isMappable(flags)) return 0;
    const result = this.core.unseen.opened(node, fd, caller);
    if (result < 0) this.core.files.remove(out.handle);
    return result;
  }

  read(_id: NodeId, handle: number, offset: number, size: number, address: number): number {
    const file = this.core.files.ready(handle);
    if (typeof file === 'number') return file;
    let done = 0;
    // A short count means the end of the file to the kernel, so an interrupted read has to be taken up again.
    while (done < size) {
      const count = pread(file.fd, address + done, size - done, offset + done);
      if (count < 0) return done > 0 ? done : count;
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  write(
    caller: Caller,
    id: NodeId,
    handle: number,
    offset: number,
    size: number,
    address: number,
    cached: boolean,
    append: boolean,
  ): number {
    const file = this.core.files.ready(handle);
    if (typeof file === 'number') return file;
    const ready = this.#beginWrite(file.node, file.fd, caller, cached);
    if (ready !== 0) return ready;
    // The request may have waited for the permit while a peer's records made the file longer.
    const grows = !cached && (append || this.core.guard.isAppendOnly(file.node));
    const at = grows ? lseek(file.fd, 0, SEEK_END) : offset;
    if (at < 0) return at;
    const count = pwrite(file.fd, address, size, at);
    if (count > 0) file.node.written?.add(at, count);
    if (at !== offset) this.core.contentsMoved(id);
    return count > 0 ? this.#syncedWrite(caller, id, handle, file, count) : count;
  }

  /**
   * The kernel syncs after each write to a file opened with O_SYNC or O_DSYNC, but not when it writes directly; and it does
   * not know which files are always to be synced.
   */
  #syncedWrite(caller: Caller, id: NodeId, handle: number, file: OpenFile, count: number): number {
    const always = this.core.guard.isSynchronous(file.node);
    if (!always && (file.mode === 'cached' || (file.flags & O_DSYNC) === 0)) return count;
    const synced = this.fsync(caller, id, handle, !always && (file.flags & O_SYNC) !== O_SYNC);
    return synced < 0 ? synced : count;
  }

  /** `cached`: a program has written it to memory already, when it was allowed to. */
  #beginWrite(node: Node, fd: number, caller: Caller, cached = false): number {
    const permit = this.core.gate.enter();
    if (permit !== 0) return permit;
    const allowed = cached ? 0 : this.core.guard.write(node);
    return allowed === 0 ? this.core.contents.begin(node, fd, caller) : allowed;
  }

  flush(caller: Caller, _id: NodeId, handle: number): number {
    const file = this.core.files.get(handle);
    return file === undefined ? -E.EBADF : this.#close(caller, file);
  }

  /** Nothing is opened again only to be closed. */
  #close(caller: Caller, file: OpenFile): number {
    if (!file.writable || file.node.dirtySlot < 0) return 0;
    const fd = this.core.tree.descriptorOf(file);
    return this.core.contents.close(file.node, fd, caller);
  }

  release(caller: Caller, _id: NodeId, handle: number): number {
    const file = this.core.files.get(handle);
    if (file === undefined) return -E.EBADF;
    // Pages of a shared mapping may have come after the last flush.
    const result = this.#close(caller, file);
    this.core.files.remove(handle);
    if (file.mode === 'passed' && isMappable(file.flags)) this.core.unseen.closed(file.node);
    return result;
  }

  /**
   * Makes the contents and every log record up to them durable: the record and the stamp belong to the transaction that
   * the file's own fsync commits.
   */
  fsync(caller: Caller, _id: NodeId, handle: number, dataOnly: boolean): number {
    const file = this.core.files.ready(handle);
    if (typeof file === 'number') return file;
    const { kml } = this.core.logs;
    if (file.writable && file.node.dirtySlot >= 0) {
      // In this order the record goes into no earlier transaction of the lower journal than all that was done to the file, and
      // committing that one flushes the disk: once, and not for the contents and for the record.
      const result = writeOut(file.fd) || this.#close(caller, file);
      return result < 0 ? result : kml.sync();
    }
    const synced = dataOnly ? fdatasync(file.fd) : fsync(file.fd);
    return synced < 0 ? synced : kml.sync();
  }

  fallocate(
    caller: Caller,
    _id: NodeId,
    handle: number,
    mode: number,
    offset: number,
    length: number,
  ): number {
    const file = this.core.files.ready(handle);
    if (typeof file === 'number') return file;
    const ready = this.#beginWrite(file.node, file.fd, caller);
    if (ready !== 0) return ready;
    const result = fallocate(file.fd, mode, offset, length);
    // Also where it failed: it may have done a part.
    if ((mode & FALLOC_MOVES) !== 0) file.node.written?.addEverything();
    else file.node.written?.add(offset, length);
    return result;
  }

  copyFileRange(
    caller: Caller,
    _id: NodeId,
    handle: number,
    offset: number,
    _toId: NodeId,
    toHandle: number,
    toOffset: number,
    length: number,
  ): number {
    const from = this.core.files.ready(handle);
    const to = this.core.files.ready(toHandle);
    if (typeof from === 'number') return from;
    if (typeof to === 'number') return to;
    const ready = this.#beginWrite(to.node, to.fd, caller);
    if (ready !== 0) return ready;
    const count = copyFileRange(from.fd, offset, to.fd, toOffset, Math.min(length, COPY_BYTES));
    if (count > 0) to.node.written?.add(toOffset, count);
    return count;
  }

  lseek(_id: NodeId, handle: number, offset: number, whence: number): number {
    const file = this.core.files.ready(handle);
    if (typeof file === 'number') return file;
    // A hole that a program has filled in memory is none.
    return this.core.writeBack.isDone(file.node) ? lseek(file.fd, offset, whence) : PARK;
  }
}
