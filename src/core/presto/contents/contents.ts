import type { FilesetLogs, SlotOrErrno } from '../../journal/index.js';
import type { Caller } from '../../fuse/port.js';
import { NO_STAMP } from '../../model/ids.js';
import { Opcode, type CloseBody, type RecordBody } from '../../model/records.js';
import { Attr } from '../../system/attr.js';
import { E } from '../../system/errno.js';
import { O_RDWR, close, ftruncate, futimens, stat, UTIME_OMIT } from '../../system/files.js';
import { generationOf } from '../../system/handles.js';
import { fgetxattr } from '../../system/xattrs.js';
import type { CacheWatch } from '../mounting/cache-watch.js';
import { anyPathOf, findByInode } from '../tree/find-by-inode.js';
import { IdentityStore } from '../tree/identity-store.js';
import type { LocalUpdates } from '../local-updates.js';
import { CAPABILITIES, type LowerTree } from '../tree/lower-tree.js';
import { pathOf, type Node } from '../tree/node.js';
import { RangeSet } from './range-set.js';

/**
 * When contents count as changed. The first write after an open or a CLOSE is noted in the LML before any byte is written,
 * so that a crash cannot hide it; the CLOSE record follows when a descriptor is closed, synced, or the permit goes away.
 */
export class Contents {
  readonly #attr = new Attr();

  constructor(
    private readonly tree: LowerTree,
    private readonly logs: FilesetLogs,
    private readonly updates: LocalUpdates,
    /** A CLOSE could not be journaled: `close` is to be tried again, for nobody else may ever do so. */
    private readonly onLate: () => void,
    private readonly cache: CacheWatch,
  ) {}

  /** To be called before contents change through `fd`. @returns 0 or a negated errno: then nothing may be written. */
  begin(node: Node, fd: number, caller: Caller): number {
    if (node.dirtySlot >= 0) return 0;
    node.settle?.();
    const dropped = this.#dropCapabilities(node, fd, caller);
    if (dropped < 0) return dropped;
    const slot = this.#note('writing', node, fd);
    if (slot < 0) return slot;
    const marked = this.#disown(node, fd);
    if (marked < 0) {
      this.logs.lml.clear(slot);
      return marked;
    }
    node.dirtySlot = slot;
    node.written = new RangeSet();
    return 0;
  }

  #note(state: 'writing' | 'mapped', node: Node, fd: number): SlotOrErrno {
    const { object, content: stamp } = this.tree.identity.of(node);
    const handle = { ino: node.ino, generation: this.#generation(node, fd) };
    const path = pathOf(node) ?? '';
    return this.cache.note(this.logs.lml.note({ state, object, stamp, handle, path }));
  }

  /**
   * Notes that the file may be written without a request, so that a crash cannot hide it.
   * @returns a slot of the LML, for `clearMapped`, or a negated errno
   */
  noteMapped(node: Node, fd: number): SlotOrErrno {
    return fd < 0 ? fd : this.#note('mapped', node, fd);
  }

  clearMapped(slot: SlotOrErrno): void {
    this.logs.lml.clear(slot);
  }

  /** The lower file system takes a program's capabilities away when it is written to; so that is journaled, too. */
  #dropCapabilities(node: Node, fd: number, caller: Caller): number {
    if (node.incapable) return 0;
    const path = anyPathOf(this.tree, node);
    if (path === undefined || fgetxattr(fd, CAPABILITIES, 0, 0) < 0) return 0;
    const update = this.updates.next();
    const identity = this.tree.identity.forUpdate(node, update.stamp);
    const body: RecordBody = { op: Opcode.DELEXTATTR, path, name: CAPABILITIES };
    return this.updates.perform(caller, update, identity.object, identity.attributes, body, () => {
      const result = this.tree.removexattr(node, CAPABILITIES);
      if (result < 0) return result;
      return this.tree.identity.write(node, { ...identity, attributes: update.stamp }, fd);
    });
  }

  /**
   * From now on the contents are no version that a record tells of: lento, which may be sending the last one, finds no
   * stamp on disk and leaves it; the next CLOSE brings the new one. A file that was never closed has none to send.
   */
  #disown(node: Node, fd: number): number {
    const identity = this.tree.identity.of(node);
    const { object, content } = identity;
    if (object.replica === content.replica && object.number === content.recno) return 0;
    return IdentityStore.writeTo(fd, { ...identity, content: NO_STAMP });
  }

  #generation(node: Node, fd: number): number {
    if (node.generation < 0) node.generation = Math.max(0, generationOf(fd));
    return node.generation;
  }

  /**
   * Journals what was written since `begin`. `fd` is any descriptor of the file that is not O_PATH, or the negated errno
   * for which there is none.
   */
  close(node: Node, fd: number, caller: Caller): number {
    if (node.dirtySlot < 0) return 0;
    node.unseen?.settle();
    const path = fd < 0 ? undefined : (pathOf(node) ?? this.#findPath(node, fd));
    const result = fd < 0 ? fd : path === undefined ? 0 : this.#journal(node, fd, caller, path);
    // Where the record could not be written (full disk), the LML keeps the note and the next close tries again.
    if (result < 0) {
      this.onLate();
      return result;
    }
    this.logs.lml.clear(node.dirtySlot);
    node.dirtySlot = -1;
    node.written = undefined;
    return 0;
  }

  /** A file that has lost the names we know may have others. Rare, and worth a search. */
  #findPath(node: Node, fd: number): string | undefined {
    if (stat(fd, '', this.#attr) < 0 || this.#attr.nlink === 0) return undefined;
    return findByInode(this.tree.table.root.fd, node.ino);
  }

  #journal(node: Node, fd: number, caller: Caller, path: string): number {
    const result = stat(fd, '', this.#attr);
    if (result < 0) return result;
    const update = this.updates.next();
    const identity = this.tree.identity.forUpdate(node, update.stamp);
    const attr = this.#attr;
    const body: CloseBody = {
      op: Opcode.CLOSE,
      path,
      size: attr.size,
      mtime: { sec: attr.mtimeSec, nsec: attr.mtimeNsec },
      mode: attr.mode & 0o7777,
      handle: { ino: node.ino, generation: this.#generation(node, fd) },
      ranges: node.written?.toRanges() ?? [],
    };
    return this.updates.perform(caller, update, identity.object, identity.content, body, () =>
      this.tree.identity.write(node, { ...identity, content: update.stamp }, fd),
    );
  }

  /** truncate(2) by name, or ftruncate(2) through `fd`. With a descriptor the CLOSE comes when that is closed. */
  truncate(node: Node, size: number, caller: Caller, fd = -1): number {
    const own = fd < 0;
    const file = own ? this.tree.open(node, O_RDWR) : fd;
    if (file < 0) return file;
    let result = this.begin(node, file, caller);
    if (result >= 0) {
      result = ftruncate(file, size);
      node.written?.addEverything();
      const { time } = this.updates.next();
      if (result >= 0) futimens(file, 0, UTIME_OMIT, time.sec, time.nsec);
    }
    if (own) {
      // A failed truncation must not leave the note behind, nor hide the reason.
      const closed = this.close(node, file, caller);
      if (result >= 0) result = closed;
      close(file);
    }
    return result;
  }

  /** Where a node is dirty although no descriptor is at hand: the permit is leaving, or presto ends. */
  closeUnopened(node: Node, caller: Caller): number {
    if (node.dirtySlot < 0) return 0;
    const fd = this.tree.open(node, O_RDWR);
    if (fd < 0) return fd === -E.ENOENT ? 0 : fd;
    const result = this.close(node, fd, caller);
    close(fd);
    this.tree.table.dropUnused(node);
    return result;
  }
}
