/** More requests than this, or more bytes, are not taken from the kernel while others wait. */
const REQUESTS_MAX = 1024;
const BYTES_MAX = 64 * 1024 * 1024;

/** A request that waits, as it came. */
export interface Parked {
  readonly bytes: Buffer;
  readonly uniqueLow: number;
  readonly uniqueHigh: number;
}

/** Requests that wait for the permit, in the order of their coming. */
export class Parking {
  #parked: Parked[] = [];
  #bytes = 0;

  get count(): number {
    return this.#parked.length;
  }

  /** No more requests may be read: there is no place to put them. */
  get full(): boolean {
    return this.#parked.length >= REQUESTS_MAX || this.#bytes >= BYTES_MAX;
  }

  add(parked: Parked): void {
    this.#parked.push(parked);
    this.#bytes += parked.bytes.length;
  }

  /** All of them, which are parked no more. */
  takeAll(): Parked[] {
    const all = this.#parked;
    this.#parked = [];
    this.#bytes = 0;
    return all;
  }

  /** The one that was interrupted, or undefined where it is not parked. */
  take(uniqueLow: number, uniqueHigh: number): Parked | undefined {
    const at = this.#parked.findIndex(
      (p) => p.uniqueLow === uniqueLow && p.uniqueHigh === uniqueHigh,
    );
    if (at < 0) return undefined;
    const [taken] = this.#parked.splice(at, 1);
    this.#bytes -= taken?.bytes.length ?? 0;
    return taken;
  }
}
