import type { Recno } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';

/**
 * How much of a log is kept. Pure. What everybody has stays for a while: `izo log` shows it, and a host that a power cut
 * has set back asks for the end of it again. What somebody lacks stays, but not without limit where that is the server's
 * log: a replicator that stays away for ever must not fill the server's disk.
 */

/** Bytes of log, as the fileset's configuration has them; undefined: as izo sees fit. */
export interface LogLimits {
  readonly history?: number | undefined;
  readonly backlog?: number | undefined;
}

export interface CacheSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Of the cache: less than this free is short, and then no history is kept that is not needed. */
const SHORT = 1 / 16;
/** Of the cache: so much log may wait for replicators. */
const BACKLOG = 1 / 4;

/** What is kept of the records that everybody has, in bytes. */
export function historyKept({ history }: LogLimits, cache: CacheSpace): number {
  const isShort = cache.freeBytes < cache.totalBytes * SHORT;
  return isShort
    ? LIMITS.logLeastBytes
    : Math.max(LIMITS.logLeastBytes, history ?? LIMITS.logHistoryBytes);
}

/** What may wait for those who do not have it, in bytes. */
export function backlogKept({ backlog }: LogLimits, cache: CacheSpace): number {
  return Math.max(LIMITS.logLeastBytes, backlog ?? Math.floor(cache.totalBytes * BACKLOG));
}

/**
 * The last record that all of `replicators` have. `next`: what each of them expects, as far as that is known; who was
 * never heard of lacks everything. Who is not one of them any more is not asked.
 */
export function acknowledgedByAll(
  replicators: readonly string[],
  next: ReadonlyMap<string, Recno>,
  end: Recno,
): Recno {
  return Math.min(end, ...replicators.map((host) => (next.get(host) ?? 1) - 1));
}

/** Those of `replicators` that are known to lack records which a log that begins with `first` does not have any more. */
export function givenUp(
  replicators: readonly string[],
  next: ReadonlyMap<string, Recno>,
  first: Recno,
): string[] {
  return replicators.filter((host) => (next.get(host) ?? first) < first);
}
