/** How long to wait before trying again, ever longer up to a limit. Times are milliseconds. Pure but for its state. */
export class Backoff {
  #nextMs: number;

  /**
   * @param jitter how much of a delay is left to chance, 0 to 1: hosts that have lost the same peer at the same time do
   *   not all come back at the same time
   * @param random from 0 up to 1
   */
  constructor(
    private readonly firstMs: number,
    private readonly longestMs: number,
    private readonly jitter: number,
    private readonly random: () => number,
  ) {
    this.#nextMs = firstMs;
  }

  /** The next delay. */
  next(): number {
    const delay = this.#nextMs;
    this.#nextMs = Math.min(delay * 2, this.longestMs);
    return delay * (1 - this.jitter * this.random());
  }

  /** It has worked: the next delay is the first again. */
  reset(): void {
    this.#nextMs = this.firstMs;
  }
}
