import { number } from './messages.js';

/** What was done, and how long it took: times are milliseconds, from when requests came until they were answered. */
export interface Counts {
  readonly operations: number;
  /** Those of them that failed. */
  readonly errors: number;
  /** Bytes that programs have written, and read, through presto. */
  readonly written: number;
  readonly read: number;
  /** Half of the operations, and 95 of 100, took no longer; null where there were none. */
  readonly p50: number | null;
  readonly p95: number | null;
}

export interface KindCounts extends Counts {
  readonly operation: string;
}

export interface ProcessCounts {
  readonly pid: number;
  readonly command: string;
  readonly uid: number;
  readonly operations: number;
  readonly written: number;
  readonly read: number;
}

/** The answer of presto to `activity`: since it was asked the last time. */
export interface ActivityCounts {
  readonly ms: number;
  readonly all: Counts;
  /** Those that were done, the most frequent one first. */
  readonly kinds: readonly KindCounts[];
  /** The processes that asked for most. */
  readonly processes: readonly ProcessCounts[];
}

/** And how it is now. */
export interface ActivityNow {
  /** Operations that wait for the permit. */
  readonly waiting: number;
  readonly openFiles: number;
}

/** @throws FrameError */
export function readActivity(
  head: Readonly<Record<string, unknown>>,
): ActivityCounts & ActivityNow {
  const { all, kinds, processes } = head as unknown as ActivityCounts;
  return {
    ms: Number(head['ms']),
    all,
    kinds,
    processes,
    waiting: number(head, 'waiting'),
    openFiles: number(head, 'openFiles'),
  };
}
