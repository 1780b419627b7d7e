import type { NodeId } from '../port.js';
import { locksOf, type KernelLocks } from './kernel-locks.js';
import { PARKED_BYTES, PARKED_REQUESTS } from './limits.js';
import type { Request } from './request.js';

interface Parked {
  readonly unique: number;
  /** The thread that waits. */
  readonly thread: number;
  /** When it came, of performance.now(). */
  readonly since: number;
  readonly message: Buffer;
  readonly locks: KernelLocks;
}

/** Requests that wait for the permit, in the order in which they came. */
export class Parking {
  #waiting: Parked[] = [];
  #bytes = 0;

  get size(): number {
    return this.#waiting.length;
  }

  /** No more may be taken in: the kernel has to keep further requests itself. */
  get full(): boolean {
    return this.#waiting.length >= PARKED_REQUESTS || this.#bytes >= PARKED_BYTES;
  }

  add(request: Request): void {
    const message = request.copy();
    const { unique, thread } = request;
    const since = performance.now();
    this.#waiting.push({ unique, thread, since, message, locks: locksOf(request) });
    this.#bytes += message.length;
  }

  /** The thread that waits for the request; undefined where no request of that number waits. */
  threadOf(unique: number): number | undefined {
    return this.#waiting.find((parked) => parked.unique === unique)?.thread;
  }

  /** @returns false where no request of that number waits. */
  remove(unique: number): boolean {
    const index = this.#waiting.findIndex((parked) => parked.unique === unique);
    const [removed] = index < 0 ? [] : this.#waiting.splice(index, 1);
    this.#bytes -= removed?.message.length ?? 0;
    return removed !== undefined;
  }

  /**
   * Shows every request to `done`, oldest first, and since when it waits; those for which it says false stay where they
   * are.
   */
  present(done: (message: Buffer, since: number) => boolean): void {
    const stay: Parked[] = [];
    let bytes = 0;
    for (const parked of this.#waiting) {
      if (done(parked.message, parked.since)) continue;
      stay.push(parked);
      bytes += parked.message.length;
    }
    this.#waiting = stay;
    this.#bytes = bytes;
  }

  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }

  /** True while the kernel keeps the directory locked for a parked request. */
  locksDirectory(node: NodeId): boolean {
    return this.#waiting.some(({ locks }) => locks.directories.includes(node));
  }

  /** True while the kernel keeps pages of the file locked for a parked request. */
  locksPages(node: NodeId): boolean {
    return this.#waiting.some(({ locks }) => locks.pages === node);
  }
}
