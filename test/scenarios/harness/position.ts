import { isWithin, NO_EPOCH, NO_STRETCH, type Epoch } from '../../../src/core/model/position.js';
import type { Recno } from '../../../src/core/model/ids.js';
import { judgeClaim, type Begin, type Misfit } from '../../../src/core/replication/lost-tail.js';
import type { Item, Progress } from './updates.js';

export const NOTHING: Progress = {
  ...{ expected: 1, checksum: '', stretch: NO_STRETCH, epoch: NO_EPOCH },
};

/** The epochs of a host's log: one begins each time that presto comes up. */
export class PaperEpochs {
  readonly all: Epoch[] = [{ id: 1, from: 1, after: 0 }];
  #given = 1;

  get current(): number {
    return this.all.at(-1)?.id ?? NO_EPOCH;
  }

  begin(from: Recno, after: Recno): void {
    this.all.push({ id: ++this.#given, from, after });
  }

  /** They are as they were when the log ended with record `end`, and was open. */
  restore(end: Recno): void {
    const known = this.all.filter(({ from }) => from === 1 || from <= end);
    this.all.splice(0, this.all.length, ...known);
  }
}

interface Log {
  readonly log: readonly Item[];
  readonly trimmed: Recno;
  readonly end: Recno;
  readonly next: Recno;
  readonly epochs: PaperEpochs;
}

/** Where the log begins for a peer that has this of it. */
export function beginFor(
  { log, trimmed, end, next, epochs }: Log,
  claim: Progress,
): Begin | Misfit {
  const { expected, stretch } = claim;
  const isTrimmed = (isWithin(stretch, expected) ? stretch.from : expected) <= trimmed;
  const before = log.findLast(({ recno }) => recno < expected);
  const after = log.find(({ recno }) => recno >= expected)?.recno ?? next;
  const around = { before: before?.recno ?? 0, checksum: before?.rec.id ?? '', next: after };
  return judgeClaim(claim, isTrimmed ? undefined : around, end, epochs.all);
}
