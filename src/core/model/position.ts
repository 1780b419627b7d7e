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
