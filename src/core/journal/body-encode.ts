import {
  AttrMask,
  Opcode,
  type CloseBody,
  type RecordBody,
  type SetattrBody,
  type Time,
} from '../model/records.js';
import { putI53, putU53 } from './bytes.js';
import { RANGES_MAX } from './record-rules.js';

/**
 * What an operation needs, as bytes. Fixed fields first, strings last; a string is its length in 16 bits and its bytes.
 * docs/journal.md has the tables. Sizes in `bodyLength` are those of the fixed fields and the strings' lengths.
 */
export function bodyLength(body: RecordBody): number {
  switch (body.op) {
    case Opcode.NOOP:
      return 8;
    case Opcode.CREATE:
    case Opcode.MKDIR:
      return 14 + body.path.length;
    case Opcode.MKNOD:
      return 22 + body.path.length;
    case Opcode.SYMLINK:
      return 12 + body.path.length + body.target.length;
    case Opcode.LINK:
      return 4 + body.path.length + body.newPath.length;
    case Opcode.UNLINK:
    case Opcode.RMDIR:
      return 2 + body.path.length;
    case Opcode.RENAME:
      return 40 + body.path.length + body.newPath.length;
    case Opcode.SETATTR:
      return 42 + body.path.length;
    case Opcode.CLOSE:
      return 38 + 16 * rangesOf(body).length + body.path.length;
    case Opcode.SETEXTATTR:
      return 12 + body.path.length + body.name.length + body.value.length;
    case Opcode.DELEXTATTR:
      return 4 + body.path.length + body.name.length;
  }
}

const NO_RANGES: CloseBody['ranges'] = [];

/** None stand for all of the file: what too many ranges mean as well. */
export function rangesOf(body: CloseBody): CloseBody['ranges'] {
  return body.ranges.length > RANGES_MAX ? NO_RANGES : body.ranges;
}

function putText(buffer: Buffer, text: string, at: number): number {
  buffer.writeUInt16LE(text.length, at);
  return at + 2 + buffer.write(text, at + 2, 'latin1');
}

function putU32s(buffer: Buffer, at: number, first: number, second: number, third: number): number {
  buffer.writeUInt32LE(first, at);
  buffer.writeUInt32LE(second, at + 4);
  buffer.writeUInt32LE(third, at + 8);
  return at + 12;
}

function putTime(buffer: Buffer, time: Time, at: number): number {
  putI53(buffer, time.sec, at);
  buffer.writeUInt32LE(time.nsec, at + 8);
  return at + 12;
}

function putPair(buffer: Buffer, replica: number, number: number, at: number): number {
  putU53(buffer, replica, at);
  putU53(buffer, number, at + 8);
  return at + 16;
}

const EPOCH: Time = { sec: 0, nsec: 0 };

function encodeSetattr(body: SetattrBody, buffer: Buffer, start: number): number {
  const has = (bit: number): boolean => (body.valid & bit) !== 0;
  let at = start;
  buffer.writeUInt32LE(body.valid, at);
  // Fields that are not meant are 0 whatever the caller left in them, so that equal records are equal bytes.
  at = putU32s(
    buffer,
    at + 4,
    has(AttrMask.mode) ? body.mode : 0,
    has(AttrMask.uid) ? body.uid : 0,
    has(AttrMask.gid) ? body.gid : 0,
  );
  at = putTime(buffer, has(AttrMask.atime) ? body.atime : EPOCH, at);
  at = putTime(buffer, has(AttrMask.mtime) ? body.mtime : EPOCH, at);
  return putText(buffer, body.path, at);
}

function encodeClose(body: CloseBody, buffer: Buffer, start: number): number {
  const ranges = rangesOf(body);
  putU53(buffer, body.size, start);
  putU53(buffer, body.handle.ino, start + 8);
  let at = putTime(buffer, body.mtime, start + 16);
  buffer.writeUInt32LE(body.handle.generation, at);
  buffer.writeUInt16LE(body.mode, at + 4);
  buffer.writeUInt16LE(ranges.length, at + 6);
  at += 8;
  for (const range of ranges) at = putPair(buffer, range.offset, range.length, at);
  return putText(buffer, body.path, at);
}

/** Writes a body that `bodyFault` finds nothing against. @returns the offset after it. */
export function encodeBody(body: RecordBody, buffer: Buffer, start: number): number {
  switch (body.op) {
    case Opcode.NOOP:
      putU53(buffer, body.replaces, start);
      return start + 8;
    case Opcode.CREATE:
    case Opcode.MKDIR:
      return putText(buffer, body.path, putU32s(buffer, start, body.mode, body.uid, body.gid));
    case Opcode.MKNOD: {
      const at = putU32s(buffer, start, body.mode, body.uid, body.gid);
      putU53(buffer, body.rdev, at);
      return putText(buffer, body.path, at + 8);
    }
    case Opcode.SYMLINK:
      buffer.writeUInt32LE(body.uid, start);
      buffer.writeUInt32LE(body.gid, start + 4);
      return putText(buffer, body.target, putText(buffer, body.path, start + 8));
    case Opcode.LINK:
      return putText(buffer, body.newPath, putText(buffer, body.path, start));
    case Opcode.UNLINK:
    case Opcode.RMDIR:
      return putText(buffer, body.path, start);
    case Opcode.RENAME: {
      buffer.writeUInt32LE(body.flags, start);
      let at = putPair(buffer, body.replaced.replica, body.replaced.number, start + 4);
      at = putPair(buffer, body.replacedStamp.replica, body.replacedStamp.recno, at);
      return putText(buffer, body.newPath, putText(buffer, body.path, at));
    }
    case Opcode.SETATTR:
      return encodeSetattr(body, buffer, start);
    case Opcode.CLOSE:
      return encodeClose(body, buffer, start);
    case Opcode.SETEXTATTR: {
      buffer.writeUInt32LE(body.flags, start);
      buffer.writeUInt32LE(body.value.length, start + 4);
      const at = start + 8 + body.value.copy(buffer, start + 8);
      return putText(buffer, body.name, putText(buffer, body.path, at));
    }
    case Opcode.DELEXTATTR:
      return putText(buffer, body.name, putText(buffer, body.path, start));
  }
}
