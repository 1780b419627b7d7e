import type { Recno } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import type { FileWindow } from './file-window.js';
import type { KmlHeader } from './kml-header.js';
import {
  ALIGNMENT,
  checksumAt,
  frameFault,
  isPossibleLength,
  lengthAt,
  previousAt,
  RECORD_BYTES_MIN,
  recnoAt,
  TRAILER_BYTES,
} from './record-frame.js';

/** Where a log ends: what the next record is written after. */
export interface Tail {
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** The last record's number and checksum; those of the header where the log is empty. */
  readonly recno: Recno;
  readonly checksum: number;
}

/**
 * What a scan has found. `torn-tail`: after `tail` there are `bytes` which are no whole record, nor is there one after them;
 * that is what a crash in the middle of an append leaves. `damaged`: the record that should begin at `tail` is bad, and it
 * was written to its end or there are good ones after it; that no crash does.
 */
export type Scan =
  | { readonly kind: 'clean'; readonly tail: Tail }
  | {
      readonly kind: 'torn-tail';
      readonly tail: Tail;
      readonly bytes: number;
      readonly reason: string;
    }
  | { readonly kind: 'damaged'; readonly tail: Tail; readonly reason: string };

export function startOf(header: KmlHeader): Tail {
  return {
    offset: header.firstOffset,
    recno: header.firstRecno - 1,
    checksum: header.baseChecksum,
  };
}

/**
 * The end of a log of `size` bytes, found by the length at the end of the last record, without reading the others.
 * @returns undefined where the last bytes are not a good record that continues the one before it.
 */
export function quickTail(window: FileWindow, header: KmlHeader, size: number): Tail | undefined {
  const first = header.firstOffset;
  if (size === first) return startOf(header);
  if (size - first < RECORD_BYTES_MIN || size % ALIGNMENT !== 0) return undefined;
  const last = window.buffer.readUInt32LE(window.loadBackwards(size - 4, 4));
  const offset = size - last;
  if (!isPossibleLength(last) || offset < first) return undefined;
  const at = window.loadBackwards(offset, last);
  const { buffer } = window;
  if (frameFault(buffer, at, at + last) !== undefined) return undefined;
  const tail = { offset: size, recno: recnoAt(buffer, at), checksum: checksumAt(buffer, at, last) };
  const previous = previousAt(buffer, at);
  if (offset === first) {
    const follows = previous === header.baseChecksum && tail.recno >= header.firstRecno;
    return follows ? tail : undefined;
  }
  const before = window.loadBackwards(offset - TRAILER_BYTES, TRAILER_BYTES);
  return window.buffer.readUInt32LE(before) === previous ? tail : undefined;
}

/** Called for every good record of a scan. */
export type Visit = (recno: Recno, offset: number) => void;

/**
 * Reads the whole log, checks every record's frame and that each continues the one before it. Bodies are not decoded:
 * what has the right checksum is what was written.
 */
export function scanKml(window: FileWindow, header: KmlHeader, size: number, visit?: Visit): Scan {
  let tail = startOf(header);
  while (tail.offset < size) {
    const at = window.load(tail.offset, Math.min(LIMITS.recordBytes, size - tail.offset));
    const end = Math.min(window.limit, at + size - tail.offset);
    const { buffer } = window;
    const reason = frameFault(buffer, at, end) ?? chainFault(buffer, at, tail);
    if (reason !== undefined) {
      const bytes = size - tail.offset;
      return isWhole(window, tail.offset, bytes) || hasGoodRecord(window, tail, size)
        ? { kind: 'damaged', tail, reason: `record ${tail.recno + 1}, ${reason}` }
        : { kind: 'torn-tail', tail, bytes, reason };
    }
    const length = lengthAt(buffer, at);
    const recno = recnoAt(buffer, at);
    visit?.(recno, tail.offset);
    tail = {
      offset: tail.offset + length,
      recno,
      checksum: checksumAt(buffer, at, length),
    };
  }
  return { kind: 'clean', tail };
}

/**
 * @returns why the record at `at`, whole in itself, is not the one to follow `tail`. Numbers grow, and some may be missing:
 * those that were given away before a crash. That no record is missing says the checksum.
 */
export function chainFault(buffer: Buffer, at: number, tail: Tail): string | undefined {
  const recno = recnoAt(buffer, at);
  if (recno <= tail.recno) return `record ${recno} stands after ${tail.recno}`;
  return previousAt(buffer, at) === tail.checksum
    ? undefined
    : `record ${recno} does not continue the one before it`;
}

/** One of its lengths says that the last record ends where the log does: it is not an append that was cut short. */
function isWhole(window: FileWindow, offset: number, bytes: number): boolean {
  if (!isPossibleLength(bytes)) return false;
  const at = window.load(offset, bytes);
  const { buffer } = window;
  return lengthAt(buffer, at) === bytes || buffer.readUInt32LE(at + bytes - 4) === bytes;
}

/** Looks for a record after the bad one at `tail`, at every place where one could begin. */
function hasGoodRecord(window: FileWindow, tail: Tail, size: number): boolean {
  for (
    let offset = tail.offset + ALIGNMENT;
    offset + RECORD_BYTES_MIN <= size;
    offset += ALIGNMENT
  ) {
    const at = window.load(offset, Math.min(LIMITS.recordBytes, size - offset));
    const end = Math.min(window.limit, at + size - offset);
    if (!isPossibleLength(lengthAt(window.buffer, at))) continue;
    if (frameFault(window.buffer, at, end) === undefined) return true;
  }
  return false;
}
