import type { ListenLimits } from './wire-limits.js';

interface Waiting {
  readonly address: string;
  readonly evict: () => void;
}

/**
 * Who is between connecting and proving who it is. When it is full, the oldest goes: an honest host is through within
 * milliseconds, so it is hardly ever the oldest, however many others only hold a place.
 */
export class HandshakeGate {
  readonly #limits: ListenLimits;
  /** By the other end's address and port; oldest first. */
  readonly #waiting = new Map<string, Waiting>();

  constructor(limits: ListenLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Takes a place for the connection `from`; `evict` must close it. */
  enter(from: string, address: string, evict: () => void): void {
    const same = [...this.#waiting].filter(([, waiting]) => waiting.address === address);
    if (same.length >= this.#limits.handshakesPerAddress) this.#evict(same[0]?.[0]);
    else if (this.size >= this.#limits.handshakes) this.#evict(this.#waiting.keys().next().value);
    this.#waiting.set(from, { address, evict });
  }

  /** Gives the place back: proved, or gone. */
  leave(from: string): void {
    this.#waiting.delete(from);
  }

  evictAll(): void {
    for (const from of [...this.#waiting.keys()]) this.#evict(from);
  }

  #evict(from: string | undefined): void {
    if (from === undefined) return;
    const waiting = this.#waiting.get(from);
    this.#waiting.delete(from);
    waiting?.evict();
  }
}
