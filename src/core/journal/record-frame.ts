import type { Recno } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { checksumOf, getU53 } from './bytes.js';
import type { Fault } from './record-rules.js';

/**
 * Where the fields that frame a record are; docs/journal.md has the whole table. The length stands at both ends, so that
 * a log can be walked either way; the checksum covers everything before it, the previous record's checksum included, and
 * so stands for the whole history up to this record.
 */
export const AT = {
  length: 0,
  version: 4,
  opcode: 5,
  groups: 6,
  previous: 8,
  pid: 12,
  recno: 16,
  origin: 24,
  originRecno: 32,
  timeSec: 40,
  timeNsec: 48,
  uid: 52,
  gid: 56,
  reserved: 60,
  object: 64,
  before: 80,
  end: 96,
} as const;

export const RECORD_VERSION = 1;
/** Records begin at multiples of this in a log. */
export const ALIGNMENT = 8;
/** Checksum and second length, 4 bytes each. */
export const TRAILER_BYTES = 8;
export const RECORD_BYTES_MIN = AT.end + TRAILER_BYTES;

export function isPossibleLength(length: number): boolean {
  return length >= RECORD_BYTES_MIN && length <= LIMITS.recordBytes && length % ALIGNMENT === 0;
}

/** @returns why the bytes from `at`, of which those before `end` may be looked at, are no record as it was written. */
export function frameFault(buffer: Buffer, at: number, end: number): Fault {
  if (end - at < RECORD_BYTES_MIN) return 'the record is cut short';
  const length = lengthAt(buffer, at);
  if (!isPossibleLength(length)) return `impossible length ${length}`;
  if (length > end - at) return 'the record is cut short';
  if (buffer.readUInt32LE(at + length - 4) !== length) return 'the two lengths differ';
  const sum = checksumOf(buffer, at, at + length - TRAILER_BYTES);
  return sum === checksumAt(buffer, at, length) ? undefined : 'wrong checksum';
}

export function lengthAt(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at);
}

export function recnoAt(buffer: Buffer, at: number): Recno {
  return getU53(buffer, at + AT.recno);
}

/** The checksum of the record before, as this one has it. */
export function previousAt(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at + AT.previous);
}

export function checksumAt(buffer: Buffer, at: number, length: number): number {
  return buffer.readUInt32LE(at + length - TRAILER_BYTES);
}
