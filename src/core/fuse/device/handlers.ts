import { Attr } from '../../system/attr.js';
import { E } from '../../system/errno.js';
import type { FileSystemStatus } from '../../system/files.js';
import { type AttrChange, type Entry, type FuseOperations, type Opened } from '../port.js';
import { Dirents } from './dirents.js';
import { ENTRY_OUT_BYTES, MAX_WRITE, Op, OPEN_OUT_BYTES, WRITE_CACHE } from './protocol.js';
import type { Reply } from './reply.js';
import type { Request } from './request.js';

/** For requests that are not answered. */
export const NO_ANSWER = -2_000_000_000;

/** Bytes of the answer's body, a negated errno, PARK or NO_ANSWER. */
export type Handler = () => number;

const FSYNC_FDATASYNC = 1;

/**
 * What is done for each opcode: the arguments are taken from the request, the operation is called, its result is put into
 * the answer. Everything it needs is made once.
 */
export class Handlers {
  readonly entry: Entry = { node: 0, generation: 0, attr: new Attr() };
  readonly opened: Opened = { handle: 0, keepCache: false, directIo: false };
  readonly #attr = new Attr();
  readonly #change: AttrChange = {
    valid: 0,
    handle: 0,
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    atimeSec: 0,
    atimeNsec: 0,
    mtimeSec: 0,
    mtimeNsec: 0,
  };
  readonly #status: FileSystemStatus = {
    blockSize: 0,
    fragmentSize: 0,
    blocks: 0,
    blocksFree: 0,
    blocksAvailable: 0,
    files: 0,
    filesFree: 0,
    nameMax: 0,
  };
  readonly #dirents: Dirents;
  readonly table: readonly (Handler | undefined)[];

  constructor(
    private readonly q: Request,
    private readonly r: Reply,
    private readonly ops: FuseOperations,
  ) {
    this.#dirents = new Dirents(r);
    const table: (Handler | undefined)[] = [];
    this.#names(table);
    this.#attributes(table);
    this.#files(table);
    this.#directories(table);
    this.table = table;
  }

  #names(table: (Handler | undefined)[]): void {
    const { q, ops, entry } = this;
    table[Op.LOOKUP] = () => this.#entry(ops.lookup(q.node, q.name(0), entry));
    table[Op.FORGET] = () => {
      ops.forget(q.node, q.u64(0));
      return NO_ANSWER;
    };
    table[Op.BATCH_FORGET] = () => {
      const count = q.u32(0);
      for (let i = 0; i < count; i++) ops.forget(q.u64(2 + 4 * i), q.u64(4 + 4 * i));
      return NO_ANSWER;
    };
    table[Op.SYMLINK] = () => {
      const [name, target] = q.names(0);
      return this.#entry(ops.symlink(q.caller, q.node, name, target, entry));
    };
    table[Op.MKNOD] = () =>
      this.#entry(ops.mknod(q.caller, q.node, q.name(4), q.u32(0), q.u32(1), entry));
    table[Op.MKDIR] = () => this.#entry(ops.mkdir(q.caller, q.node, q.name(2), q.u32(0), entry));
    table[Op.UNLINK] = () => ops.unlink(q.caller, q.node, q.name(0));
    table[Op.RMDIR] = () => ops.rmdir(q.caller, q.node, q.name(0));
    table[Op.RENAME] = () => {
      const [name, newName] = q.names(2);
      return ops.rename(q.caller, q.node, name, q.u64(0), newName, 0);
    };
    table[Op.RENAME2] = () => {
      const [name, newName] = q.names(4);
      return ops.rename(q.caller, q.node, name, q.u64(0), newName, q.u32(2));
    };
    table[Op.LINK] = () => this.#entry(ops.link(q.caller, q.u64(0), q.node, q.name(2), entry));
    table[Op.CREATE] = () => {
      const { opened } = this;
      const flags = q.u32(0);
      const mode = q.u32(1);
      const result = ops.create(q.caller, q.node, q.name(4), mode, flags, entry, opened);
      if (result !== 0) return result;
      this.r.entry(entry);
      this.r.opened(opened, ENTRY_OUT_BYTES);
      return ENTRY_OUT_BYTES + OPEN_OUT_BYTES;
    };
  }

  #entry(result: number): number {
    return result === 0 ? this.r.entry(this.entry) : result;
  }

  #attributes(table: (Handler | undefined)[]): void {
    const { q, r, ops } = this;
    const attr = this.#attr;
    table[Op.GETATTR] = () => {
      const result = ops.getattr(q.node, attr);
      return result === 0 ? r.attributes(attr) : result;
    };
    table[Op.SETATTR] = () => {
      const result = ops.setattr(q.caller, q.node, this.#readChange(), attr);
      return result === 0 ? r.attributes(attr) : result;
    };
    table[Op.READLINK] = () => ops.readlink(q.node, r.bodyAddress, 4096);
    table[Op.SETXATTR] = () => {
      const { name, value } = q.nameAndValue(2, q.u32(0));
      return ops.setxattr(q.caller, q.node, name, value, q.u32(1));
    };
    table[Op.GETXATTR] = () => {
      const size = Math.min(q.u32(0), MAX_WRITE);
      return this.#sized(size, ops.getxattr(q.node, q.name(2), r.bodyAddress, size));
    };
    table[Op.LISTXATTR] = () => {
      const size = Math.min(q.u32(0), MAX_WRITE);
      return this.#sized(size, ops.listxattr(q.node, r.bodyAddress, size));
    };
    table[Op.REMOVEXATTR] = () => ops.removexattr(q.caller, q.node, q.name(0));
    table[Op.STATFS] = () => {
      const result = ops.statfs(q.node, this.#status);
      return result === 0 ? r.statfs(this.#status) : result;
    };
  }

  /** struct fuse_getxattr_out where only the size was asked for; else the bytes are there already. */
  #sized(asked: number, result: number): number {
    if (result < 0 || asked > 0) return result;
    this.r.u64(0, result);
    return 8;
  }

  /** struct fuse_setattr_in */
  #readChange(): AttrChange {
    const { q } = this;
    const change = this.#change;
    change.valid = q.u32(0);
    change.handle = q.u64(2);
    change.size = q.u64(4);
    change.atimeSec = q.i64(8);
    change.mtimeSec = q.i64(10);
    change.atimeNsec = q.u32(14);
    change.mtimeNsec = q.u32(15);
    change.mode = q.u32(17);
    change.uid = q.u32(19);
    change.gid = q.u32(20);
    return change;
  }

  #files(table: (Handler | undefined)[]): void {
    const { q, r, ops, opened } = this;
    table[Op.OPEN] = () => {
      const result = ops.open(q.caller, q.node, q.u32(0), opened);
      return result === 0 ? r.opened(opened) : result;
    };
    table[Op.READ] = () => {
      const size = Math.min(q.u32(4), MAX_WRITE);
      return ops.read(q.node, q.u64(0), q.u64(2), size, r.bodyAddress);
    };
    table[Op.WRITE] = () => {
      const cached = (q.u32(5) & WRITE_CACHE) !== 0;
      const address = q.dataAddress(10);
      const size = q.u32(4);
      const count = ops.write(q.caller, q.node, q.u64(0), q.u64(2), size, address, cached);
      // PARK is larger than any write.
      if (count < 0 || count > MAX_WRITE) return count;
      r.u64(0, count);
      return 8;
    };
    table[Op.FLUSH] = () => ops.flush(q.caller, q.node, q.u64(0));
    table[Op.RELEASE] = () => ops.release(q.caller, q.node, q.u64(0));
    table[Op.FSYNC] = () =>
      ops.fsync(q.caller, q.node, q.u64(0), (q.u32(2) & FSYNC_FDATASYNC) !== 0);
    table[Op.FALLOCATE] = () =>
      ops.fallocate(q.caller, q.node, q.u64(0), q.u32(6), q.u64(2), q.u64(4));
    table[Op.LSEEK] = () => {
      const at = ops.lseek(q.node, q.u64(0), q.i64(2), q.u32(4));
      if (at < 0) return at;
      r.u64(0, at);
      return 8;
    };
  }

  #directories(table: (Handler | undefined)[]): void {
    const { q, r, ops, opened } = this;
    table[Op.OPENDIR] = () => {
      const result = ops.opendir(q.node, opened);
      return result === 0 ? r.opened(opened) : result;
    };
    table[Op.READDIR] = () => this.#readdir(false);
    table[Op.READDIRPLUS] = () => this.#readdir(true);
    table[Op.RELEASEDIR] = () => ops.releasedir(q.node, q.u64(0));
    table[Op.FSYNCDIR] = () => ops.fsyncdir(q.node, q.u64(0));
  }

  #readdir(plus: boolean): number {
    const { q, ops } = this;
    const sink = this.#dirents;
    sink.start(Math.min(q.u32(4), MAX_WRITE), plus);
    const result = ops.readdir(q.node, q.u64(0), q.u64(2), sink);
    // What was put in before an error counts: the kernel has to hear of the lookups in it.
    return result < 0 && sink.length === 0 ? result : sink.length;
  }

  /** The kernel did not take the answer: what it would have held on to is given back. */
  undo(opcode: number): void {
    const { ops, q, entry, opened } = this;
    switch (opcode) {
      case Op.LOOKUP:
      case Op.MKNOD:
      case Op.MKDIR:
      case Op.SYMLINK:
      case Op.LINK:
        if (entry.node !== 0) ops.forget(entry.node, 1);
        return;
      case Op.CREATE:
        ops.release(q.caller, entry.node, opened.handle);
        ops.forget(entry.node, 1);
        return;
      case Op.OPEN:
        ops.release(q.caller, q.node, opened.handle);
        return;
      case Op.OPENDIR:
        ops.releasedir(q.node, opened.handle);
        return;
      default:
    }
  }

  static readonly unknown = -E.ENOSYS;
}
