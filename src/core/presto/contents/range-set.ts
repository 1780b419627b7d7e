import type { Range } from '../../model/records.js';

/** More separate ranges than this are not worth remembering: the set then means "all of it". */
const RANGES_MAX = 64;

/**
 * Which bytes of a file were written, as ranges in the order of their first writing. Appending writes, by far the most
 * common, extend the last range and cost nothing. Ranges may overlap; the receiver does not mind.
 */
export class RangeSet {
  #ranges: { offset: number; length: number }[] = [];
  #everything = false;

  add(offset: number, length: number): void {
    if (this.#everything) return;
    const last = this.#ranges.at(-1);
    if (last !== undefined && offset >= last.offset && offset <= last.offset + last.length) {
      last.length = Math.max(last.length, offset + length - last.offset);
      return;
    }
    if (this.#ranges.length === RANGES_MAX) {
      this.addEverything();
      return;
    }
    this.#ranges.push({ offset, length });
  }

  /** The file was cut or its contents were changed in a way that ranges do not tell. */
  addEverything(): void {
    this.#everything = true;
    this.#ranges = [];
  }

  /** Empty: all of the file. */
  toRanges(): readonly Range[] {
    return this.#everything ? [] : this.#ranges;
  }
}
