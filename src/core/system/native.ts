import koffi from 'koffi';

/**
 * The C library, called through koffi. Pointers are declared as integers and passed as plain numbers (addresses of
 * buffers that live for the whole process), so that a call allocates nothing. Only this folder knows koffi.
 */
const libc = koffi.load(null);

/** Declares a function of the C library by its C prototype, with `uint64` for every pointer. */
export function declare(prototype: string): (...args: number[]) => number {
  return libc.func(prototype);
}

/** The same for calls with integers beyond 2^53: arguments and result may be bigints. */
export function declareWide(prototype: string): (...args: (number | bigint)[]) => number | bigint {
  return libc.func(prototype);
}

const memcpy = declare('uint64 memcpy(uint64, uint64, uint64)');

/** Copies bytes between addresses that do not overlap. @returns `length`. */
export function copyMemory(from: number, to: number, length: number): number {
  memcpy(to, from, length);
  return length;
}

/** The same, run on libuv's thread pool: for calls that may block. Calls back with the result and errno, or -errno. */
export function declareAsync(
  prototype: string,
): (args: number[], done: (result: number) => void) => void {
  const fn = libc.func(prototype);
  return (args, done) => {
    fn.async(...args, (error: Error | null, result: number) => {
      done(error === null ? (result < 0 ? -koffi.errno() : result) : -5);
    });
  };
}

/** @returns `result`, or the negative errno where the call said -1. Call it at once after the call. */
export function checked(result: number): number {
  return result === -1 ? -koffi.errno() : result;
}

/** Up to so many characters or bytes are written faster one by one than by a call of Node's. */
const SHORT = 24;

/** Where bytes are that somebody else keeps in place; 0 where there are none. */
export function addressOf(bytes: Buffer): number {
  return bytes.length === 0 ? 0 : Number(koffi.address(bytes));
}

/** Bytes at a fixed address, for as long as this object lives. */
export class Memory {
  readonly buffer: Buffer;
  readonly address: number;

  constructor(readonly length: number) {
    // Not from Node's pool, and over an ArrayBuffer of its own: V8 never moves its backing store.
    this.buffer = Buffer.from(new ArrayBuffer(length));
    this.address = Number(koffi.address(this.buffer));
  }

  /** Writes bytes held as latin1 characters at `at`. */
  putBytes(text: string, at: number): void {
    const { buffer } = this;
    const { length } = text;
    if (length > SHORT) buffer.write(text, at, 'latin1');
    else for (let index = 0; index < length; index++) buffer[at + index] = text.charCodeAt(index);
  }

  /** Writes `length` bytes of `from` at `start` to `at`. */
  copyBytes(from: Buffer, start: number, length: number, at: number): void {
    const { buffer } = this;
    if (length > SHORT) from.copy(buffer, at, start, start + length);
    else for (let index = 0; index < length; index++) buffer[at + index] = from[start + index] ?? 0;
  }

  /** Writes a C string (bytes held as latin1 characters, then NUL) at `at`. @returns its address. */
  putString(text: string, at = 0): number {
    this.putBytes(text, at);
    this.buffer[at + text.length] = 0;
    return this.address + at;
  }
}

export { koffi };
