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

export function formatPosition(position: Position): string {
  return `${position.log.toString(16).padStart(12, '0')}/${position.recno}`;
}
