import { getI53, getU53 } from './bytes.js';
import type { Time } from '../model/records.js';

/**
 * Reads fields one after another from bytes that nobody vouches for. Reading past the end gives zeros and sets `overrun`,
 * which the decoder looks at once at the end: hostile input costs no exception.
 */
export class Cursor {
  overrun = false;

  constructor(
    readonly buffer: Buffer,
    public at: number,
    readonly end: number,
  ) {}

  #take(length: number): number {
    const { at } = this;
    if (length > this.end - at) {
      this.overrun = true;
      return -1;
    }
    this.at = at + length;
    return at;
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.buffer.readUInt16LE(at);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.buffer.readUInt32LE(at);
  }

  u53(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : getU53(this.buffer, at);
  }

  i53(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : getI53(this.buffer, at);
  }

  time(): Time {
    const sec = this.i53();
    return { sec, nsec: this.u32() };
  }

  /** A string of bytes: length in 16 bits, then the bytes. */
  text(): string {
    const length = this.u16();
    const at = this.#take(length);
    return at < 0 ? '' : this.buffer.toString('latin1', at, at + length);
  }

  /** Bytes of their own, length in 32 bits first: the buffer read from may be used again. */
  bytes(): Buffer {
    const length = this.u32();
    const at = this.#take(length);
    return at < 0 ? Buffer.alloc(0) : Buffer.from(this.buffer.subarray(at, at + length));
  }
}
