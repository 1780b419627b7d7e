import { must } from '../system/errno.js';
import { pread } from '../system/files.js';
import { Memory } from '../system/native.js';

/** Holds at least one record of the largest size, wherever it begins. */
const WINDOW_BYTES = 512 * 1024;

/**
 * A piece of a file in memory, moved along as one reads; so that walking a log costs a system call for hundreds of records.
 * The file may grow or shrink meanwhile: `forget` when what was read may have changed.
 */
export class FileWindow {
  readonly #memory = new Memory(WINDOW_BYTES);
  #start = 0;
  #end = 0;

  constructor(private readonly fd: number) {}

  get buffer(): Buffer {
    return this.#memory.buffer;
  }

  forget(): void {
    this.#start = 0;
    this.#end = 0;
  }

  /**
   * Makes up to `length` bytes from `offset` available, and what follows them while there is room.
   * @returns their index in `buffer`; `limit` says up to where.
   * @throws SystemError
   */
  load(offset: number, length: number): number {
    if (offset < this.#start || offset + length > this.#end) this.#read(offset);
    return offset - this.#start;
  }

  /** The same for walking backwards: reads ahead of `offset` and not after it. */
  loadBackwards(offset: number, length: number): number {
    if (offset < this.#start || offset + length > this.#end) {
      this.#read(Math.max(0, offset + length - WINDOW_BYTES));
    }
    return offset - this.#start;
  }

  /** Index in `buffer` after the last byte that is available. */
  get limit(): number {
    return this.#end - this.#start;
  }

  #read(offset: number): void {
    this.#start = offset;
    this.#end = offset;
    while (this.#end - offset < WINDOW_BYTES) {
      const have = this.#end - offset;
      const { address } = this.#memory;
      const got = must('pread', pread(this.fd, address + have, WINDOW_BYTES - have, this.#end));
      if (got === 0) return;
      this.#end += got;
    }
  }
}
