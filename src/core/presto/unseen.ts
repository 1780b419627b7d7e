import type { Caller } from '../fuse/port.js';
import { Attr } from '../system/attr.js';
import { fdatasync, stat } from '../system/files.js';

const attr = new Attr();

/** A file whose contents may change without a request. */
export class Unseen {
  /** Programs that have it open so. Their mappings may stay when they have closed it. */
  handles = 0;
  #version = '';

  constructor(
    /** Has the lower file open for reading. */
    readonly fd: number,
    /** Who opened it first: in whose name it is written. */
    readonly caller: Caller,
  ) {
    this.moved();
  }

  /** Whether it was written since this was asked last. */
  moved(): boolean {
    if (stat(this.fd, '', attr) < 0) return false;
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
