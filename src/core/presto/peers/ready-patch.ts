import type { Stamp } from '../../model/ids.js';
import type { Range } from '../../model/records.js';
import { copyRanges } from './copy-part.js';

/**
 * What a peer has changed in a file, on this disk for good, with a note in the LML: once it has begun to be put in place it
 * will be, whatever happens.
 */
export class ReadyPatch {
  readonly kind = 'patch';
  /** A byte of the file may be another one; all of them are as they are to be. */
  begun = false;
  complete = false;
  /** Once it has begun: waits until it is durable. */
  settle: (() => void) | undefined = undefined;

  constructor(
    /** The file in the stage, and the one to change: descriptors, closed by Patches. */
    readonly from: number,
    readonly to: number,
    /** The lower inode that is to be changed. */
    readonly ino: number,
    /** The version that it is for, and the one that it makes. */
    readonly base: Stamp,
    readonly stamp: Stamp,
    readonly ranges: readonly Range[],
    /** Of the note in the LML. */
    readonly slot: number,
  ) {}

  /** Changes the file, in one turn of the event loop: nobody sees a part of it. @returns 0 or a negated errno */
  apply(): number {
    this.begun = true;
    const result = copyRanges(this.from, this.to, this.ranges);
    this.complete = result >= 0;
    return result;
  }
}
