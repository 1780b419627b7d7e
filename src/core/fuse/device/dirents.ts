import type { DirectorySink, Entry, NodeId } from '../port.js';
import { Dirent, EntryOut } from './protocol.js';
import type { Reply } from './reply.js';

/** The shortest entries: of a name of one to four bytes, from the lower directory and for the kernel. */
const LOWER_BYTES = 24;
const UPPER_BYTES = 32;

/** Builds the answer to READDIR (struct fuse_dirent) and READDIRPLUS (struct fuse_direntplus) in place. */
export class DirentSink implements DirectorySink {
  plus = false;
  /** Bytes filled so far. */
  length = 0;
  #limit = 0;
  /** What was looked up for the kernel: one reference each, unless the answer does not arrive. */
  readonly #given: NodeId[] = [];

  constructor(private readonly reply: Reply) {}

  begin(plus: boolean, size: number): void {
    this.plus = plus;
    this.length = 0;
    this.#limit = Math.min(size, this.reply.capacity);
    this.#given.length = 0;
  }

  /** The longer the names, the less room entries need beyond what they have taken below. */
  get room(): number {
    const upper = UPPER_BYTES + (this.plus ? EntryOut.size : 0);
    return Math.floor((this.#limit - this.length) / upper) * LOWER_BYTES;
  }

  add(name: string, ino: number, type: number, next: number, entry: Entry | undefined): boolean {
    const at = this.#head(name.length, ino, type, next, entry);
    if (at < 0) return false;
    this.reply.bytes(at, name);
    return true;
  }

  addBytes(
    from: Buffer,
    start: number,
    length: number,
    ino: number,
    type: number,
    next: number,
  ): boolean {
    const at = this.#head(length, ino, type, next, undefined);
    if (at < 0) return false;
    this.reply.copy(at, from, start, length);
    return true;
  }

  /** An entry but for its name. @returns where that belongs; -1 where the entry does not fit. */
  #head(length: number, ino: number, type: number, next: number, entry: Entry | undefined): number {
    const { reply } = this;
    const head = this.plus ? EntryOut.size : 0;
    // The padding is part of the entry: FUSE_DIRENT_ALIGN.
    const end = this.length + ((head + Dirent.name + length + 7) & ~7);
    if (end > this.#limit) return -1;
    if (this.plus) {
      if (entry === undefined) {
        // Node 0: an entry without a lookup.
        reply.clear(this.length, EntryOut.size);
      } else {
        reply.entry(this.length, entry);
        this.#given.push(entry.node);
      }
    }
    const at = this.length + head;
    // The last word first: the name then leaves only the padding of it.
    reply.u64(end - 8, 0);
    reply.u64(at + Dirent.ino, ino);
    reply.u64(at + Dirent.off, next);
    reply.u32(at + Dirent.namelen, length);
    reply.u32(at + Dirent.type, type);
    this.length = end;
    return at + Dirent.name;
  }

  /** The kernel did not get the answer: its references are given back. */
  giveBack(forget: (node: NodeId) => void): void {
    for (const node of this.#given) if (node !== 0) forget(node);
    this.#given.length = 0;
  }
}
