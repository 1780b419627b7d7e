/** What is said about repeated measurements. The machine is never quiet, so: middles, not means, and how far apart they lie. */

/** The value below which `fraction` (0 to 1) of the samples lie, between two of them by proportion. NaN for none. */
export function quantile(samples: readonly number[], fraction: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) * fraction;
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** Half of the range of the middle half, as a part of the median: 0.04 means that most samples lie within 4 % of it. */
export function spread(samples: readonly number[]): number {
  const half = (quantile(samples, 0.75) - quantile(samples, 0.25)) / 2;
  return half / median(samples);
}

/**
 * How many times as long one thing takes as another, by pairs that were measured one right after the other: what slowed
 * the machine down for a while has slowed down both.
 */
export function pairedRatio(of: readonly number[], to: readonly number[]): number {
  return median(pairedRatios(of, to));
}

export function pairedRatios(of: readonly number[], to: readonly number[]): number[] {
  if (of.length !== to.length) throw new RangeError('samples that are no pairs');
  return of.map((value, round) => value / (to[round] ?? NaN));
}
