import type { Recno, ReplicaId } from './ids.js';

/**
 * A place in one log: after record `recno` of the log `log`, whose checksum (which covers all records before it) is
 * `checksum`. Two hosts that agree on a position have seen the same history up to it. `recno` 0: before the first.
 */
export interface Position {
  readonly log: ReplicaId;
  readonly recno: Recno;
  readonly checksum: number;
}

/**
 * Records `from` to `to` of a log, of which a peer gets a shortened history. While it has some of that and not yet all, it
 * keeps in mind which stretch it is: going on from there takes the same history again, shortened in the same way.
 */
export interface Stretch {
  readonly from: Recno;
  readonly to: Recno;
}

export const NO_STRETCH: Stretch = { from: 0, to: 0 };

/** Who expects this record next is in the middle of the stretch. */
export function isWithin({ from, to }: Stretch, expected: Recno): boolean {
  return from < expected && expected <= to;
}

export function formatPosition(position: Position): string {
  return `${position.log.toString(16).padStart(12, '0')}/${position.recno}`;
}

/**
 * An epoch of a log lasts from one opening for writing to the next, and has an id that no other ever has. A cache that was
 * put back from a backup goes on in an epoch of which nobody has heard who saw what it has lost. So who knows in which
 * epoch a peer's history was last found to be that of the log can tell whether it still is, also where the records are gone.
 */
export interface Epoch {
  readonly id: number;
  /** No record before the epoch has this number or a larger one. */
  readonly from: Recno;
  /** The last record that the log had when it began: those of the epoch before that are behind it a crash has lost. */
  readonly after: Recno;
}

/** Not known. */
export const NO_EPOCH = 0;
