import type { Recno } from '../model/ids.js';

/**
 * A power cut may take the last records of a log, though a peer has got them already. Their numbers are not given to
 * others (the log leaves them out), so what is missing can be told from the numbers alone, and the peer that has it gives
 * it back. Pure.
 */

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
 * `restored`: the peer knows more of the log than the log itself; `other`: it knows another history; `trimmed`: what it
 * expects is not in the log any more.
 */
export type Misfit = 'restored' | 'other' | 'trimmed';

/**
 * The peer expects `expects` of a log, and knows `checksum` of the record before that: 0 or '' where it does not know.
 */
export function judgePosition(
  expects: Recno,
  checksum: number | string,
  { before, checksum: ours, next }: Surroundings,
): Begin | Exclude<Misfit, 'trimmed'> {
  if (expects > next) return 'restored';
  if (before === expects - 1) {
    const same = checksum === 0 || checksum === '' || checksum === ours;
    return same ? { intact: before, resumes: next } : 'other';
  }
  return { intact: before, resumes: next };
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
