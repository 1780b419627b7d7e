import { encodeDevice } from '../../system/device-numbers.js';
import type { Attr } from '../../system/attr.js';
import type { FileSystemStatus } from '../../system/files.js';
import { Memory } from '../../system/native.js';
import type { Entry, Opened } from '../port.js';
import { CACHE_SECONDS, MESSAGE_BYTES } from './limits.js';
import {
  AttrField,
  AttrOut,
  EntryOut,
  OpenFlag,
  OpenOut,
  OutHeader,
  StatfsOut,
  WriteOut,
} from './protocol.js';

const TWO32 = 2 ** 32;

/**
 * The answer being built, header and payload in one piece of memory so that one write sends it. Offsets are bytes into
 * the payload. The writers return the payload's length.
 */
export class Reply {
  readonly #memory = new Memory(MESSAGE_BYTES);
  readonly #words = new Uint32Array(this.#memory.buffer.buffer);

  get address(): number {
    return this.#memory.address;
  }

  /** Where the payload begins: file contents are read directly to here. */
  get payload(): number {
    return this.#memory.address + OutHeader.size;
  }

  /** Bytes of the longest payload. */
  get capacity(): number {
    return this.#memory.length - OutHeader.size;
  }

  /** Completes the message. `error` is 0 or a negated errno. @returns the length of the whole. */
  finish(unique: number, error: number, payload: number): number {
    const length = OutHeader.size + payload;
    this.#words[OutHeader.len >> 2] = length;
    this.#words[OutHeader.error >> 2] = error;
    this.#words[OutHeader.unique >> 2] = unique;
    this.#words[(OutHeader.unique >> 2) + 1] = Math.floor(unique / TWO32);
    return length;
  }

  u32(at: number, value: number): void {
    this.#words[(OutHeader.size + at) >> 2] = value;
  }

  /** What struct fuse_write_out says, where that is the answer: the bytes written. */
  get written(): number {
    return this.#words[(OutHeader.size + WriteOut.written) >> 2] ?? 0;
  }

  /** Negative values become two's complement. */
  u64(at: number, value: number): void {
    this.u32(at, value);
    this.u32(at + 4, Math.floor(value / TWO32));
  }

  bytes(at: number, latin1: string): void {
    this.#memory.putBytes(latin1, OutHeader.size + at);
  }

  /** `length` bytes of `from` at `start`. */
  copy(at: number, from: Buffer, start: number, length: number): void {
    this.#memory.copyBytes(from, start, length, OutHeader.size + at);
  }

  clear(at: number, size: number): void {
    const start = (OutHeader.size + at) >> 2;
    this.#words.fill(0, start, start + (size >> 2));
  }

  /**
   * struct fuse_entry_out. Node 0: there is no such name, and the kernel may remember that.
   * @param seconds how long the kernel may believe the attributes
   */
  entry(at: number, entry: Entry, seconds: number = CACHE_SECONDS.attributes): number {
    const exists = entry.node !== 0;
    this.u64(at + EntryOut.nodeid, entry.node);
    this.u64(at + EntryOut.generation, entry.generation);
    this.u64(at + EntryOut.entryValid, exists ? CACHE_SECONDS.entry : CACHE_SECONDS.negative);
    this.u64(at + EntryOut.attrValid, seconds);
    this.u32(at + EntryOut.entryValidNsec, 0);
    this.u32(at + EntryOut.attrValidNsec, 0);
    this.attr(at + EntryOut.attr, entry.attr);
    return EntryOut.size;
  }

  /** struct fuse_attr_out. `seconds`: how long the kernel may believe it. */
  attributes(attr: Attr, seconds: number = CACHE_SECONDS.attributes): number {
    this.u64(AttrOut.attrValid, seconds);
    this.u64(AttrOut.attrValidNsec, 0);
    this.attr(AttrOut.attr, attr);
    return AttrOut.size;
  }

  /** struct fuse_attr. */
  attr(at: number, attr: Attr): void {
    this.u64(at + AttrField.ino, attr.ino);
    this.u64(at + AttrField.size, attr.size);
    this.u64(at + AttrField.blocks, attr.blocks);
    this.u64(at + AttrField.atime, attr.atimeSec);
    this.u64(at + AttrField.mtime, attr.mtimeSec);
    this.u64(at + AttrField.ctime, attr.ctimeSec);
    this.u32(at + AttrField.atimensec, attr.atimeNsec);
    this.u32(at + AttrField.mtimensec, attr.mtimeNsec);
    this.u32(at + AttrField.ctimensec, attr.ctimeNsec);
    this.u32(at + AttrField.mode, attr.mode);
    this.u32(at + AttrField.nlink, attr.nlink);
    this.u32(at + AttrField.uid, attr.uid);
    this.u32(at + AttrField.gid, attr.gid);
    this.u32(at + AttrField.rdev, encodeDevice(attr.rdevMajor, attr.rdevMinor));
    this.u32(at + AttrField.blksize, attr.blksize);
    this.u32(at + AttrField.flags, 0);
  }

  /** struct fuse_open_out. */
  opened(at: number, opened: Opened, directory: boolean): number {
    const keep = directory ? OpenFlag.KEEP_CACHE | OpenFlag.CACHE_DIR : OpenFlag.KEEP_CACHE;
    const flags =
      (opened.keepCache ? keep : 0) |
      (opened.directIo ? OpenFlag.DIRECT_IO : 0) |
      (opened.backing !== 0 ? OpenFlag.PASSTHROUGH : 0) |
      (opened.noFlush ? OpenFlag.NOFLUSH : 0);
    this.u64(at + OpenOut.fh, opened.handle);
    this.u32(at + OpenOut.openFlags, flags);
    this.u32(at + OpenOut.backingId, opened.backing);
    return OpenOut.size;
  }

  /** struct fuse_kstatfs. */
  statfs(status: FileSystemStatus): number {
    this.clear(0, StatfsOut.size);
    this.u64(StatfsOut.blocks, status.blocks);
    this.u64(StatfsOut.bfree, status.blocksFree);
    this.u64(StatfsOut.bavail, status.blocksAvailable);
    this.u64(StatfsOut.files, status.files);
    this.u64(StatfsOut.ffree, status.filesFree);
    this.u32(StatfsOut.bsize, status.blockSize);
    this.u32(StatfsOut.namelen, status.nameMax);
    this.u32(StatfsOut.frsize, status.fragmentSize);
    return StatfsOut.size;
  }
}
