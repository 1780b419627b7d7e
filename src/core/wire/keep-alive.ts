import type { WireLimits } from './wire-limits.js';

export interface KeepAliveOptions {
  readonly limits: Pick<WireLimits, 'keepAliveMs' | 'linkLostMs'>;
  /** Makes the peer say something. */
  readonly probe: () => void;
  /** The peer has been silent for too long. */
  readonly lost: (silentMs: number) => void;
}

/**
 * Notices a peer that is gone without a word: asks after `keepAliveMs` of silence, gives up after `linkLostMs`. The
 * clock is monotonic; a stall of this process is not taken for silence of the peer, whose bytes may lie unread.
 */
export class KeepAlive {
  readonly #options: KeepAliveOptions;
  #heardAt = performance.now();
  #probed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KeepAliveOptions) {
    this.#options = options;
    this.#arm(options.limits.keepAliveMs);
  }

  /** The peer has sent something. */
  heard(): void {
    this.#heardAt = performance.now();
    this.#probed = false;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(delayMs: number): void {
    const dueAt = performance.now() + delayMs;
    this.#timer = setTimeout(() => {
      this.#check(performance.now() - dueAt);
    }, delayMs).unref();
  }

  #check(lateMs: number): void {
    const { keepAliveMs, linkLostMs } = this.#options.limits;
    const silentMs = performance.now() - this.#heardAt;
    if (silentMs < keepAliveMs) {
      this.#arm(keepAliveMs - silentMs);
      return;
    }
    // If we slept, and not the peer, what it said lies unread; and it may have waited for us to ask.
    const slept = lateMs > keepAliveMs;
    if (silentMs >= linkLostMs && !slept) {
      this.#options.lost(silentMs);
      return;
    }
    if (!this.#probed) this.#options.probe();
    this.#probed = true;
    this.#arm(slept ? keepAliveMs : linkLostMs - silentMs);
  }
}
