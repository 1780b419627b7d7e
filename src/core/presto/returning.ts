import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../fuse/port.js';
import { ESTALE } from '../system/errno.js';

/** Milliseconds a hand-over waits for who was sent back: on a busy machine they take their time to come. */
const COMES_WITHIN_MS = 2_000;

/**
 * The threads that were told ESTALE because their request goes by a version of a file that a peer has replaced. The kernel
 * looks the name up anew and asks once more, but only once: a second ESTALE reaches the program. So until those that want to
 * update are back the permit is not given away, and nothing can be replaced again under them.
 */
export class Returning {
  readonly #threads = new Map<number, { readonly since: number; readonly updates: boolean }>();

  /** `updates`: its request passed the gate. @returns -ESTALE, the answer to it */
  sendBack({ pid }: Caller, updates = true): number {
    this.#threads.set(pid, { since: performance.now(), updates });
    return -ESTALE;
  }

  /** The thread has looked the name up a moment ago. */
  has({ pid }: Caller): boolean {
    const thread = this.#threads.get(pid);
    return thread !== undefined && performance.now() - thread.since < COMES_WITHIN_MS;
  }

  /** A request of the thread has been served. */
  isBack({ pid }: Caller): void {
    if (this.#threads.size > 0) this.#threads.delete(pid);
  }

  /** Resolves when all that want to update are back, or have had their time: the name may be gone, or the program. */
  async all(): Promise<void> {
    while (this.#isAwaited()) await sleep(1);
  }

  #isAwaited(): boolean {
    let awaited = false;
    const since = performance.now() - COMES_WITHIN_MS;
    for (const [pid, thread] of this.#threads) {
      if (thread.since <= since) this.#threads.delete(pid);
      else if (thread.updates) awaited = true;
    }
    return awaited;
  }
}
