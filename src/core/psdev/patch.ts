import { crc32 } from 'node:zlib';
import type { Stamp } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import type { Range } from '../model/records.js';
import { FrameError } from './frames.js';

/**
 * How lento hands over what differs in a file's new contents from an older version: a file in the stage that has the new
 * bytes where they belong, and behind the file's new size this; all of it is durable.
 */
export interface Patch {
  /** The CLOSE, as it came from the peer. */
  readonly record: Buffer;
  /** The version that the other bytes are of. */
  readonly base: Stamp;
  /** In order, without overlap. What has no data there is a hole, and to be one. */
  readonly ranges: readonly Range[];
}

const MAGIC = 'izoDELTA';
/** u32 length of what is before it, u32 CRC-32 of that, then the magic. */
export const PATCH_TAIL_BYTES = 16;
const HEAD_BYTES = 24;
const RANGE_BYTES = 16;
/** All of it, with its tail. */
export const PATCH_BYTES_MAX =
  LIMITS.recordBytes + HEAD_BYTES + RANGE_BYTES * LIMITS.fetchRanges + PATCH_TAIL_BYTES;

export function encodePatch({ record, base, ranges }: Patch): Buffer {
  const length = HEAD_BYTES + RANGE_BYTES * ranges.length + record.length;
  const bytes = Buffer.alloc(length + PATCH_TAIL_BYTES);
  bytes.writeUInt32LE(record.length, 0);
  bytes.writeUInt32LE(ranges.length, 4);
  bytes.writeBigUInt64LE(BigInt(base.replica), 8);
  bytes.writeBigUInt64LE(BigInt(base.recno), 16);
  ranges.forEach((range, i) => {
    bytes.writeBigUInt64LE(BigInt(range.offset), HEAD_BYTES + RANGE_BYTES * i);
    bytes.writeBigUInt64LE(BigInt(range.length), HEAD_BYTES + RANGE_BYTES * i + 8);
  });
  record.copy(bytes, length - record.length);
  bytes.writeUInt32LE(length, length);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, length)), length + 4);
  bytes.write(MAGIC, length + 8, 'latin1');
  return bytes;
}

/** @param bytes the end of the file, PATCH_BYTES_MAX of it or all. @throws FrameError where it is no whole patch */
export function decodePatch(bytes: Buffer): Patch {
  const end = bytes.length - PATCH_TAIL_BYTES;
  if (end < HEAD_BYTES || bytes.toString('latin1', end + 8) !== MAGIC) {
    throw new FrameError('a patch without an end');
  }
  const length = bytes.readUInt32LE(end);
  const body = length > end ? undefined : bytes.subarray(end - length, end);
  if (body === undefined || crc32(body) !== bytes.readUInt32LE(end + 4)) {
    throw new FrameError('a damaged patch');
  }
  const at = (offset: number): number => Number(body.readBigUInt64LE(offset));
  const count = body.readUInt32LE(4);
  if (body.readUInt32LE(0) + HEAD_BYTES + RANGE_BYTES * count !== length) {
    throw new FrameError('a patch that cannot be');
  }
  const ranges = Array.from({ length: count }, (_, i) => {
    const offset = HEAD_BYTES + RANGE_BYTES * i;
    return { offset: at(offset), length: at(offset + 8) };
  });
  const record = Buffer.from(body.subarray(HEAD_BYTES + RANGE_BYTES * count));
  return { record, base: { replica: at(8), recno: at(16) }, ranges };
}
