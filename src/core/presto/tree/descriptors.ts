import { close } from '../../system/files.js';

/** Has something of the lower tree open. */
export interface Holder {
  /** The descriptor, or -1. */
  fd: number;
  /** When it was used last, in the counting of Descriptors. */
  used: number;
  /** It can be opened again, so it may be closed meanwhile. */
  readonly mayClose: boolean;
}

/** Of the process's limit, left to everything else: logs, sockets, devices, what one request needs for itself. */
const OTHERS = 64;
/** However low the limit is: what one request uses of it must not be closed before its end. */
const LEAST = 16;

/** How many descriptors of the lower tree a process with this limit can keep. */
export function descriptorsWithin(limit: number): number {
  return Math.max(LEAST, limit - OTHERS);
}

/**
 * The descriptors of the lower tree: a cache. Where there is no room for another one, that half of them is closed which was
 * used longest ago and can be opened again.
 */
export class Descriptors {
  readonly #holders = new Set<Holder>();
  #clock = 0;

  constructor(private readonly most: number) {}

  get count(): number {
    return this.#holders.size;
  }

  /** Takes over `fd`, just opened. Stays open until it has not been used for LEAST / 2 others. */
  add(holder: Holder, fd: number): void {
    holder.fd = fd;
    this.use(holder);
    this.#holders.add(holder);
    if (this.#holders.size > this.most) this.#makeRoom();
  }

  use(holder: Holder): void {
    holder.used = ++this.#clock;
  }

  close(holder: Holder): void {
    if (holder.fd < 0) return;
    close(holder.fd);
    holder.fd = -1;
    this.#holders.delete(holder);
  }

  #makeRoom(): void {
    const kept = this.#clock - LEAST / 2;
    const closable = [...this.#holders].filter(({ mayClose, used }) => mayClose && used <= kept);
    closable.sort((a, b) => a.used - b.used);
    for (const holder of closable.slice(0, Math.ceil(closable.length / 2))) this.close(holder);
  }
}
