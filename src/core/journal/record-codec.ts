import { IzoError } from '../model/errors.js';
import type { Recno } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import type { JournalRecord, RecordBody, RecordHead } from '../model/records.js';
import { E } from '../system/errno.js';
import { decodeBody } from './body-decode.js';
import { bodyLength, encodeBody } from './body-encode.js';
import { checksumOf, getI53, getU53, putI53, putU53 } from './bytes.js';
import { Cursor } from './cursor.js';
import {
  ALIGNMENT,
  AT,
  checksumAt,
  frameFault,
  lengthAt,
  previousAt,
  RECORD_VERSION,
  recnoAt,
  TRAILER_BYTES,
} from './record-frame.js';
import { bodyFault, headFault, readFault, type Fault } from './record-rules.js';

/** A head before its record has got its number. */
export type NewRecordHead = Omit<RecordHead, 'recno'>;

/** A record as it was found in a log or a batch. */
export interface DecodedRecord {
  readonly record: JournalRecord;
  /** Bytes it takes up. */
  readonly length: number;
  /** Checksum of the record before it in its log. */
  readonly previous: number;
  /** Its own: with the log's id and its recno, the position after it. */
  readonly checksum: number;
}

/** Bytes that the record takes up, for whoever must find room first. */
export function recordLength(head: NewRecordHead, body: RecordBody): number {
  const groups = Math.min(head.actor.groups.length, LIMITS.actorGroups);
  const length = AT.end + 4 * groups + bodyLength(body) + TRAILER_BYTES;
  return (length + ALIGNMENT - 1) & -ALIGNMENT;
}

/**
 * Writes the record at `at`; the buffer must have `recordLength` bytes there, LIMITS.recordBytes always do. Groups beyond
 * LIMITS.actorGroups are left out. `previous` is the checksum of the record before it.
 * @returns its length in bytes; -ENAMETOOLONG where a path has more bytes than a record keeps, -EINVAL where the record
 *   breaks another rule that its readers insist on: then nothing was written.
 */
export function encodeRecord(
  buffer: Buffer,
  at: number,
  recno: Recno,
  previous: number,
  head: NewRecordHead,
  body: RecordBody,
): number {
  if (isPathTooLong(body)) return -E.ENAMETOOLONG;
  if ((headFault(head) ?? bodyFault(body)) !== undefined) return -E.EINVAL;
  const groups = Math.min(head.actor.groups.length, LIMITS.actorGroups);
  const length = recordLength(head, body);
  buffer.writeUInt32LE(length, at);
  buffer[at + AT.version] = RECORD_VERSION;
  buffer[at + AT.opcode] = body.op;
  buffer.writeUInt16LE(groups, at + AT.groups);
  buffer.writeUInt32LE(previous, at + AT.previous);
  putU53(buffer, recno, at + AT.recno);
  encodeHead(buffer, at, head);
  for (let i = 0; i < groups; i++) {
    buffer.writeUInt32LE(head.actor.groups[i] ?? 0, at + AT.end + 4 * i);
  }
  const end = encodeBody(body, buffer, at + AT.end + 4 * groups);
  const trailer = at + length - TRAILER_BYTES;
  for (let i = end; i < trailer; i++) buffer[i] = 0;
  buffer.writeUInt32LE(checksumOf(buffer, at, trailer), trailer);
  buffer.writeUInt32LE(length, trailer + 4);
  return length;
}

function isPathTooLong(body: RecordBody): boolean {
  if ('newPath' in body && body.newPath.length > LIMITS.pathBytes) return true;
  return 'path' in body && body.path.length > LIMITS.pathBytes;
}

function encodeHead(buffer: Buffer, at: number, head: NewRecordHead): void {
  buffer.writeUInt32LE(head.actor.pid, at + AT.pid);
  putU53(buffer, head.origin, at + AT.origin);
  putU53(buffer, head.originRecno, at + AT.originRecno);
  putI53(buffer, head.time.sec, at + AT.timeSec);
  buffer.writeUInt32LE(head.time.nsec, at + AT.timeNsec);
  buffer.writeUInt32LE(head.actor.uid, at + AT.uid);
  buffer.writeUInt32LE(head.actor.gid, at + AT.gid);
  buffer.writeUInt32LE(0, at + AT.reserved);
  putU53(buffer, head.object.replica, at + AT.object);
  putU53(buffer, head.object.number, at + AT.object + 8);
  putU53(buffer, head.before.replica, at + AT.before);
  putU53(buffer, head.before.recno, at + AT.before + 8);
}

function decodeHead(buffer: Buffer, at: number, groups: readonly number[]): RecordHead {
  return {
    recno: recnoAt(buffer, at),
    origin: getU53(buffer, at + AT.origin),
    originRecno: getU53(buffer, at + AT.originRecno),
    time: {
      sec: getI53(buffer, at + AT.timeSec),
      nsec: buffer.readUInt32LE(at + AT.timeNsec),
    },
    actor: {
      uid: buffer.readUInt32LE(at + AT.uid),
      gid: buffer.readUInt32LE(at + AT.gid),
      pid: buffer.readUInt32LE(at + AT.pid),
      groups,
    },
    object: {
      replica: getU53(buffer, at + AT.object),
      number: getU53(buffer, at + AT.object + 8),
    },
    before: {
      replica: getU53(buffer, at + AT.before),
      recno: getU53(buffer, at + AT.before + 8),
    },
  };
}

/**
 * Reads the record at `at`; bytes from `end` on are not looked at. Everything is checked: what comes out is a record that
 * the encoder could have written. It shares no memory with `buffer`.
 * @returns the record, or the reason why there is none.
 */
export function decodeRecord(
  buffer: Buffer,
  at: number,
  end = buffer.length,
): DecodedRecord | string {
  const fault = frameFault(buffer, at, end);
  if (fault !== undefined) return fault;
  const version = buffer[at + AT.version] ?? 0;
  if (version !== RECORD_VERSION) return `unknown record version ${version}`;
  const length = lengthAt(buffer, at);
  const groups = buffer.readUInt16LE(at + AT.groups);
  if (groups > LIMITS.actorGroups) return 'too many groups';
  const cursor = new Cursor(buffer, at + AT.end, at + length - TRAILER_BYTES);
  const list: number[] = [];
  for (let i = 0; i < groups && !cursor.overrun; i++) list.push(cursor.u32());
  const body = decodeBody(buffer[at + AT.opcode] ?? 0, cursor);
  if (body === undefined) return 'unknown opcode';
  const record: JournalRecord = { head: decodeHead(buffer, at, list), body };
  const wrong = recordFault(record, cursor) ?? reservedFault(buffer, at);
  if (wrong !== undefined) return wrong;
  const previous = previousAt(buffer, at);
  return { record, length, previous, checksum: checksumAt(buffer, at, length) };
}

function recordFault(record: JournalRecord, cursor: Cursor): Fault {
  if (cursor.overrun) return 'the fields do not fit the length';
  if (cursor.end - cursor.at >= ALIGNMENT) return 'bytes are left over';
  // Else a record written again, to another host, would have another checksum.
  for (let i = cursor.at; i < cursor.end; i++) if (cursor.buffer[i] !== 0) return 'padding in use';
  const { recno } = record.head;
  if (recno === 0 || !Number.isSafeInteger(recno)) return 'impossible recno';
  return headFault(record.head) ?? bodyFault(record.body) ?? readFault(record.body);
}

/** For later versions; this one keeps them 0, and refuses what it would not understand. */
function reservedFault(buffer: Buffer, at: number): Fault {
  return buffer.readUInt32LE(at + AT.reserved) === 0 ? undefined : 'reserved field in use';
}

/** decodeRecord for the wire, where a fault ends the connection. @throws IzoError bad-record */
export function decodeRecordOrThrow(
  buffer: Buffer,
  at: number,
  end = buffer.length,
): DecodedRecord {
  const decoded = decodeRecord(buffer, at, end);
  if (typeof decoded !== 'string') return decoded;
  throw new IzoError('bad-record', `A journal record cannot be understood: ${decoded}.`);
}
