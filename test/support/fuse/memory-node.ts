import { S_IFDIR, S_IFMT, type Attr } from '../../../src/core/system/attr.js';
import { copyMemory, Memory } from '../../../src/core/system/native.js';

let lastId = 0;

/** An inode of the in-memory file system: attributes, and contents, names or a link's target. */
export class MemoryNode {
  /** The first one made is the root, 1. Every tree counts on, so ids are never reused in a process. */
  readonly id: number;
  readonly names = new Map<string, MemoryNode>();
  readonly xattrs = new Map<string, Buffer>();
  parent: MemoryNode | undefined;
  target = '';
  uid = 0;
  gid = 0;
  rdev = 0;
  nlink = 1;
  size = 0;
  mtimeSec = 1_000_000_000;
  mtimeNsec = 0;
  atimeSec = 1_000_000_000;
  atimeNsec = 0;
  /** Lookups that the kernel holds. */
  lookups = 0;
  #content = new Memory(64);

  constructor(
    public mode: number,
    id?: number,
  ) {
    lastId = Math.max(lastId, 1);
    this.id = id ?? ++lastId;
  }

  get isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }

  fill(out: Attr): void {
    out.ino = this.id;
    out.size = this.size;
    out.blocks = Math.ceil(this.size / 512);
    out.blksize = 4096;
    out.mode = this.mode;
    out.nlink = this.nlink;
    out.uid = this.uid;
    out.gid = this.gid;
    // linux/kdev_t.h, new_decode_dev().
    out.rdevMajor = (this.rdev & 0xfff00) >> 8;
    out.rdevMinor = (this.rdev & 0xff) | ((this.rdev >>> 12) & 0xfff00);
    out.atimeSec = this.atimeSec;
    out.atimeNsec = this.atimeNsec;
    out.mtimeSec = out.ctimeSec = this.mtimeSec;
    out.mtimeNsec = out.ctimeNsec = this.mtimeNsec;
  }

  read(offset: number, size: number, address: number): number {
    const count = Math.max(0, Math.min(size, this.size - offset));
    return copyMemory(this.#content.address + offset, address, count);
  }

  write(offset: number, size: number, address: number): number {
    this.resize(Math.max(this.size, offset + size));
    return copyMemory(address, this.#content.address + offset, size);
  }

  resize(size: number): void {
    if (size > this.#content.length) {
      const larger = new Memory(size * 2);
      copyMemory(this.#content.address, larger.address, this.size);
      this.#content = larger;
    } else if (size < this.size) {
      this.#content.buffer.fill(0, size, this.size);
    }
    this.size = size;
  }

  /** Behind the kernel's back. */
  setText(text: string): void {
    this.resize(0);
    this.resize(text.length);
    this.#content.buffer.write(text, 0, 'latin1');
  }

  text(): string {
    return this.#content.buffer.toString('latin1', 0, this.size);
  }
}
