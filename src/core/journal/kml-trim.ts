import type { Recno } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import type { FileWindow } from './file-window.js';
import { chainFault, type Tail } from './kml-scan.js';
import { damaged } from './log-file.js';
import { checksumAt, frameFault, lengthAt, recnoAt } from './record-frame.js';

/** How much of a log is looked at and trimmed at a time, in bytes: a few milliseconds. */
export const TRIM_BYTES = 2 * 2 ** 20;

/** How much of a log is kept. Sizes are bytes of the log, counted from its end. */
export interface TrimRules {
  /** Everybody who needs them has the records up to this one. */
  readonly acknowledged: Recno;
  /** So much is kept although everybody has it: for people, and for hosts that a power cut sets back. */
  readonly history: number;
  /** Not more than this is kept for those who do not have it: they are given up. Infinity: nobody ever is. */
  readonly backlog: number;
  /** Trimming less than this is not worth writing the header for. */
  readonly least: number;
}

/** Whether record `recno`, with so many bytes of the log behind it, is to go. Pure. */
function isToGo(
  recno: Recno,
  behind: number,
  { acknowledged, history, backlog }: TrimRules,
): boolean {
  return behind >= (recno <= acknowledged ? Math.min(history, backlog) : backlog);
}

/**
 * Where the records that are to go end, in a log that begins at `from` and ends at byte `end`.
 * @throws IzoError journal-damaged
 */
export function trimmable(window: FileWindow, from: Tail, end: number, rules: TrimRules): Tail {
  let to = from;
  while (to.offset < end && to.offset - from.offset < TRIM_BYTES) {
    const at = window.load(to.offset, Math.min(LIMITS.recordBytes, end - to.offset));
    const { buffer, limit } = window;
    const fault = frameFault(buffer, at, limit) ?? chainFault(buffer, at, to);
    if (fault !== undefined) throw damaged('kml', to.offset, fault);
    const length = lengthAt(buffer, at);
    const offset = to.offset + length;
    const recno = recnoAt(buffer, at);
    if (!isToGo(recno, end - offset, rules)) break;
    to = { offset, recno, checksum: checksumAt(buffer, at, length) };
  }
  return to;
}
