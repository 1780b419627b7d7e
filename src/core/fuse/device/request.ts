import { Memory } from '../../system/native.js';
import type { Caller } from '../port.js';
import { MESSAGE_BYTES } from './limits.js';
import { InHeader } from './protocol.js';

const TWO32 = 2 ** 32;

/**
 * The request being served, read in place. There is one for the whole mount: what is taken from it is valid until the
 * next one is read. Offsets are bytes into the arguments, which follow the header; see protocol.ts.
 */
export class Request {
  readonly #memory = new Memory(MESSAGE_BYTES);
  readonly #words = new Uint32Array(this.#memory.buffer.buffer);
  readonly #signed = new Int32Array(this.#memory.buffer.buffer);
  /** Bytes of the whole message. */
  length = 0;

  /** Where the device's next message goes. */
  get address(): number {
    return this.#memory.address;
  }

  get capacity(): number {
    return this.#memory.length;
  }

  /** A message of `length` bytes was read. @returns false where it is not one. */
  begin(length: number): boolean {
    this.length = length;
    return length >= InHeader.size && this.#header(InHeader.len) === length;
  }

  /** The whole message, to be kept for later. */
  copy(): Buffer {
    return Buffer.from(this.#memory.buffer.subarray(0, this.length));
  }

  /** Presents a message that was kept. */
  load(message: Buffer): void {
    message.copy(this.#memory.buffer);
    this.length = message.length;
  }

  #header(at: number): number {
    return this.#words[at >> 2] ?? 0;
  }

  get opcode(): number {
    return this.#header(InHeader.opcode);
  }

  /** The kernel's number for this request; it counts up from 2, so it stays far below 2^53. */
  get unique(): number {
    return this.#header(InHeader.unique + 4) * TWO32 + this.#header(InHeader.unique);
  }

  get node(): number {
    return this.#header(InHeader.nodeid + 4) * TWO32 + this.#header(InHeader.nodeid);
  }

  /** Of the thread that asks; 0 where this mount's process ids have none for it. */
  get thread(): number {
    return this.#header(InHeader.pid);
  }

  get uid(): number {
    return this.#header(InHeader.uid);
  }

  get gid(): number {
    return this.#header(InHeader.gid);
  }

  takeCaller(caller: Caller): void {
    caller.uid = this.uid;
    caller.gid = this.gid;
    caller.pid = this.thread;
  }

  u32(at: number): number {
    return this.#words[(InHeader.size + at) >> 2] ?? 0;
  }

  u64(at: number): number {
    return this.u32(at + 4) * TWO32 + this.u32(at);
  }

  /** For offsets and times: loff_t and time64_t travel in unsigned fields. */
  s64(at: number): number {
    return (this.#signed[(InHeader.size + at + 4) >> 2] ?? 0) * TWO32 + this.u32(at);
  }

  /** The bytes from `at` up to the NUL. */
  name(at: number): string {
    const start = InHeader.size + at;
    const end = this.#memory.buffer.indexOf(0, start);
    return this.#memory.buffer.toString('latin1', start, end < 0 ? this.length : end);
  }

  /** `size` bytes in place: a view, not a copy. */
  bytes(at: number, size: number): Buffer {
    const start = InHeader.size + at;
    return this.#memory.buffer.subarray(start, Math.min(start + size, this.length));
  }

  /** The address of the arguments' byte `at`. */
  addressOf(at: number): number {
    return this.#memory.address + InHeader.size + at;
  }

  /** True where at least `size` bytes of arguments came. */
  has(size: number): boolean {
    return this.length >= InHeader.size + size;
  }
}
