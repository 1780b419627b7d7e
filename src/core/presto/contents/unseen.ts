import type { Caller } from '../../fuse/port.js';
import { Attr } from '../../system/attr.js';
import { fdatasync } from '../../system/files.js';

const attr = new Attr();

/** The lower file, open for reading. */
export interface WatchedFile {
  /** A descriptor, good for what one request does; or a negated errno. */
  descriptor(): number;
  stat(out: Attr): number;
  close(): void;
}

/** A file whose contents may change without a request. */
export class Unseen {
  /** Programs that have it open so. Their mappings may stay when they have closed it. */
  handles = 0;
  /** In the LML, while a crash has to tell of it; else -1. */
  slot = -1;
  #version = '';

  constructor(
    readonly file: WatchedFile,
    /** Who opened it first: in whose name it is written. */
    readonly caller: Caller,
  ) {
    this.moved();
  }

  /** A descriptor of the file, or a negated errno. */
  get fd(): number {
    return this.file.descriptor();
  }

  /** Whether it was written since this was asked last. */
  moved(): boolean {
    if (this.file.stat(attr) < 0) return false;
    const before = this.#version;
    this.#version = `${attr.mtimeSec}.${attr.mtimeNsec} ${attr.size}`;
    return this.#version !== before;
  }

  /** It was written, and that could not be journaled yet. */
  remember(): void {
    this.#version = '';
  }

  /** Before a CLOSE: pages that are clean move the file's time when they are written again. */
  settle(): void {
    this.moved();
    fdatasync(this.fd);
  }
}
