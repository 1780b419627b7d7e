import { assert } from '../model/assert.js';
import type { Time } from '../model/records.js';
import { ProtocolError } from './errors.js';

/**
 * How payloads are written: little-endian, no padding, lengths before contents. Writer and Reader mirror each other,
 * call by call. The Writer asserts, because what it refuses is a bug of ours; the Reader throws ProtocolError, because
 * what it refuses is the peer's doing. Both take the same limits, so that nothing is sent that the peer must refuse.
 */

const U32 = 2 ** 32;
const U48_MAX = 2 ** 48 - 1;
const NSEC_PER_SEC = 1_000_000_000;
const FIRST_BYTES = 256;

export class Writer {
  #buffer: Buffer;
  #length = 0;

  /** @param sizeHint the expected size; the buffer grows where it is more. */
  constructor(sizeHint = FIRST_BYTES) {
    this.#buffer = Buffer.allocUnsafe(sizeHint);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    return this.#unsigned(value, 1);
  }

  bool(value: boolean): this {
    return this.#unsigned(value ? 1 : 0, 1);
  }

  u16(value: number): this {
    return this.#unsigned(value, 2);
  }

  u32(value: number): this {
    return this.#unsigned(value, 4);
  }

  i32(value: number): this {
    assert(Number.isInteger(value) && value >= -U32 / 2 && value < U32 / 2, `${value} is no i32`);
    const at = this.#grow(4);
    this.#buffer.writeInt32LE(value, at);
    return this;
  }

  /** Replica ids. */
  u48(value: number): this {
    return this.#unsigned(value, 6);
  }

  /** 8 bytes, but only numbers that JavaScript holds exactly: 0 to 2^53 - 1. */
  u64(value: number): this {
    assert(value >= 0, `${value} is no u64`);
    return this.i64(value);
  }

  /** 8 bytes, two's complement; -(2^53 - 1) to 2^53 - 1. */
  i64(value: number): this {
    assert(Number.isSafeInteger(value), `${value} is not exact`);
    const high = Math.floor(value / U32);
    const at = this.#grow(8);
    this.#buffer.writeUInt32LE(value - high * U32, at);
    this.#buffer.writeInt32LE(high, at + 4);
    return this;
  }

  time(value: Time): this {
    assert(value.nsec < NSEC_PER_SEC, `${value.nsec} ns are a second or more`);
    return this.i64(value.sec).u32(value.nsec);
  }

  /** A u32 length and the bytes. */
  bytes(value: Uint8Array, limit: number): this {
    assert(value.length <= limit, `${value.length} bytes where ${limit} are allowed`);
    this.u32(value.length);
    const at = this.#grow(value.length);
    this.#buffer.set(value, at);
    return this;
  }

  /** A string of bytes, one a character: names, paths. */
  latin1(value: string, limit: number): this {
    assert(value.length <= limit, `${value.length} bytes where ${limit} are allowed`);
    assert(/^[\u0000-\u00ff]*$/.test(value), 'a byte string holds a character above 255');
    this.u32(value.length);
    const at = this.#grow(value.length);
    this.#buffer.write(value, at, 'latin1');
    return this;
  }

  /** A u32 count and the items. */
  list<T>(items: readonly T[], limit: number, write: (item: T, writer: this) => void): this {
    assert(items.length <= limit, `${items.length} items where ${limit} are allowed`);
    this.u32(items.length);
    for (const item of items) write(item, this);
    return this;
  }

  /** What was written. It shares memory with the writer, which must not be used any more. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #unsigned(value: number, size: 1 | 2 | 4 | 6): this {
    const max = size === 6 ? U48_MAX : 2 ** (8 * size) - 1;
    assert(Number.isInteger(value) && value >= 0 && value <= max, `${value} is no u${8 * size}`);
    const at = this.#grow(size);
    this.#buffer.writeUIntLE(value, at, size);
    return this;
  }

  /** Makes room for `size` bytes and counts them as written; returns where they go. */
  #grow(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#buffer.length) {
      const bigger = Buffer.allocUnsafe(Math.max(this.#length, this.#buffer.length * 2));
      this.#buffer.copy(bigger, 0, 0, at);
      this.#buffer = bigger;
    }
    return at;
  }
}

export class Reader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#buffer.length - this.#at;
  }

  u8(): number {
    return this.#buffer.readUInt8(this.#take(1));
  }

  bool(): boolean {
    const value = this.u8();
    if (value > 1) throw new ProtocolError(`${value} is no truth value`);
    return value === 1;
  }

  u16(): number {
    return this.#buffer.readUInt16LE(this.#take(2));
  }

  u32(): number {
    return this.#buffer.readUInt32LE(this.#take(4));
  }

  i32(): number {
    return this.#buffer.readInt32LE(this.#take(4));
  }

  u48(): number {
    return this.#buffer.readUIntLE(this.#take(6), 6);
  }

  u64(): number {
    const value = this.i64();
    if (value < 0) throw new ProtocolError('a 64-bit number is too big');
    return value;
  }

  i64(): number {
    const at = this.#take(8);
    const value = this.#buffer.readInt32LE(at + 4) * U32 + this.#buffer.readUInt32LE(at);
    if (!Number.isSafeInteger(value)) throw new ProtocolError('a 64-bit number is too big');
    return value;
  }

  time(): Time {
    const sec = this.i64();
    const nsec = this.u32();
    if (nsec >= NSEC_PER_SEC) throw new ProtocolError(`${nsec} ns are a second or more`);
    return { sec, nsec };
  }

  /** A view of the payload: copy what must live longer than it, or it keeps the whole of it in memory. */
  bytes(limit: number): Buffer {
    const length = this.#count(limit, 'bytes');
    const at = this.#take(length);
    return this.#buffer.subarray(at, at + length);
  }

  latin1(limit: number): string {
    const length = this.#count(limit, 'bytes');
    const at = this.#take(length);
    return this.#buffer.toString('latin1', at, at + length);
  }

  list<T>(limit: number, read: (reader: this) => T): T[] {
    const count = this.#count(limit, 'items');
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read(this));
    return items;
  }

  /** Call it last: a payload with something behind its end is not what we think it is. */
  end(): void {
    if (this.left !== 0) throw new ProtocolError(`${this.left} bytes too many in a payload`);
  }

  #count(limit: number, what: string): number {
    const count = this.u32();
    if (count > limit) throw new ProtocolError(`${count} ${what} where ${limit} are allowed`);
    return count;
  }

  #take(size: number): number {
    const at = this.#at;
    if (size > this.left) throw new ProtocolError('a payload ends too early');
    this.#at += size;
    return at;
  }
}
