import type { Recno } from '../model/ids.js';
import { isWithin, type Epoch, type Stretch } from '../model/position.js';
import { hasSeenLost, isProven } from './epochs.js';

/**
 * A power cut may take the last records of a log, though a peer has got them already. Their numbers are not given to
 * others (the log leaves them out), so what is missing can be told from the numbers alone, and the peer that has it gives
 * it back. Pure.
 */

/** What a peer has of a log. */
export interface Claim {
  /** The record that it expects next. */
  readonly expected: Recno;
  /** Of the record before that; 0 or '' where it does not know. */
  readonly checksum: number | string;
  /** What it has in part, shortened. */
  readonly stretch: Stretch;
  /** In which epoch of the log that was last found to be the log's history. */
  readonly epoch: number;
}

/** What a log has around the number that a peer expects next of it. */
export interface Surroundings {
  /** The last record before it, 0 for none, and that one's checksum. */
  readonly before: Recno;
  readonly checksum: number | string;
  /** The first number from it on that a record has, or will have. */
  readonly next: Recno;
}

/** Where the stream of a log to a peer begins. */
export interface Begin {
  /** The log has all of its records up to this one; those between it and `resumes` it has lost. */
  readonly intact: Recno;
  readonly resumes: Recno;
}

/**
 * `restored`: the peer knows more of the log than the log itself; `other`: it knows another history; `trimmed`: it knows the
 * same, but what it expects is not in the log any more; `lost`: nor is all that it knows, for a crash has lost some of that;
 * `unproven`: nor can anybody tell whether it knows the same; `replaced`: it is another log than the one that it knows.
 */
export type Misfit = 'restored' | 'other' | 'trimmed' | 'lost' | 'unproven' | 'replaced';

/**
 * Where a log begins for a peer that says what it has of it. The checksum of the record before proves that; where that
 * record is not in the log, or the peer has a shortened history up to it, the epoch does.
 * @param around undefined: what the peer expects is not in the log any more
 * @param end of the log
 */
export function judgeClaim(
  { expected, checksum, stretch, epoch }: Claim,
  around: Surroundings | undefined,
  end: Recno,
  epochs: readonly Epoch[],
): Begin | Misfit {
  const isMiddle = isWithin(stretch, expected);
  const isHistory = isProven(epochs, epoch, isMiddle ? stretch.to + 1 : expected);
  if (isMiddle && stretch.to > end) return 'restored';
  if (around === undefined) {
    if (!isHistory) return 'unproven';
    return hasSeenLost(epochs, epoch, expected) ? 'lost' : 'trimmed';
  }
  const { before, checksum: ours, next } = around;
  if (expected > next) return 'restored';
  const isThere = before === expected - 1 && !isMiddle;
  if (isThere && checksum !== 0 && checksum !== '' && checksum !== ours) return 'other';
  return isThere || isHistory ? { intact: before, resumes: next } : 'other';
}

/** Whether a peer's log that begins so has lost records which we have got: those after `intact`. */
export function hasLost(expects: Recno, { intact }: Begin): boolean {
  return intact < expects - 1;
}

/**
 * Whether a record is to be sent to the replica that made it: to no other end than to give it back. `expected`: what we
 * expected of it when it said where its log begins.
 */
export function isGivenBack(originRecno: Recno, expected: Recno, { intact }: Begin): boolean {
  return originRecno > intact && originRecno < expected;
}
