/** Four steps for each doubling, from a microsecond to more than an hour. */
const STEPS = 4;
const BUCKETS = 32 * STEPS;

/** How long many operations took, in so few numbers that none is forgotten: each to within a fifth. Times are milliseconds. */
export class Latencies {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  add(ms: number): void {
    const step = Math.floor(Math.log2(Math.max(1, ms * 1000)) * STEPS);
    const bucket = Math.min(BUCKETS - 1, step);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total++;
  }

  /** What so many of them took at the most, `share` being between 0 and 1; null where there were none. */
  percentile(share: number): number | null {
    if (this.#total === 0) return null;
    const wanted = Math.ceil(share * this.#total);
    let seen = 0;
    const bucket = this.#counts.findIndex((count) => (seen += count) >= wanted);
    return 2 ** ((bucket + 1) / STEPS) / 1000;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }
}
