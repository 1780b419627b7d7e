import type { Recno } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import type { Range } from '../../model/records.js';
import { Reader, Writer } from '../codec.js';
import { ProtocolError } from '../errors.js';
import { readAddressFrom, writerTo, type Address } from './address.js';

/** FETCH: the contents that the record `recno` of the asked host's log is about. */
export interface FetchRequest extends Address {
  readonly recno: Recno;
  /** What is before this offset, in bytes, the asker has: it came before a connection was lost. */
  readonly from: number;
  /** Pieces may be compressed. */
  readonly packed: boolean;
  /** Only these parts of it: in order, without overlap, within the contents. None: all of it. */
  readonly ranges: readonly Range[];
}

export function encodeFetch(request: FetchRequest): Buffer {
  const { recno, from, packed, ranges } = request;
  return writerTo(request, 64 + 16 * ranges.length)
    .u64(recno)
    .u64(from)
    .bool(packed)
    .list(ranges, LIMITS.fetchRanges, ({ offset, length }, writer) => {
      writer.u64(offset).u64(length);
    })
    .finish();
}

export function decodeFetch(payload: Buffer): FetchRequest {
  const reader = new Reader(payload);
  const request = {
    ...readAddressFrom(reader),
    recno: reader.u64(),
    from: reader.u64(),
    packed: reader.bool(),
    ranges: reader.list(LIMITS.fetchRanges, (r) => ({ offset: r.u64(), length: r.u64() })),
  };
  reader.end();
  return request;
}

/**
 * What every piece of contents begins with, in bytes: the offset of its data, below 2^53, and in the last byte whether they
 * are compressed. What no piece has is a hole.
 */
export const PIECE_HEAD_BYTES = 8;
const PACKED_AT = 7;

/** A piece of contents, in the order of their offsets. */
export interface Piece {
  readonly offset: number;
  /** As `deflateRaw` made them. */
  readonly packed: boolean;
  readonly data: Buffer;
}

/** Writes the head of a piece to `buffer` at `at`, where its data stand behind it already. */
export function putPieceHead(buffer: Buffer, offset: number, packed: boolean, at = 0): void {
  buffer.writeBigUInt64LE(BigInt(offset), at);
  buffer[at + PACKED_AT] = packed ? 1 : 0;
}

export function decodePiece(payload: Buffer): Piece {
  if (payload.length <= PIECE_HEAD_BYTES) throw new ProtocolError('an empty piece of contents');
  const packed = payload[PACKED_AT] ?? 0;
  const offset = payload.readUIntLE(0, 6) + (payload[6] ?? 0) * 2 ** 48;
  if (packed > 1 || !Number.isSafeInteger(offset)) throw new ProtocolError('an impossible piece');
  return { offset, packed: packed === 1, data: payload.subarray(PIECE_HEAD_BYTES) };
}

/**
 * What follows the contents: their length in bytes, and the CRC-32 of all pieces of what was asked
 * for, also of those before `from`: of their heads, as if nothing was compressed, and their data.
 */
export interface FetchTrailer {
  readonly size: number;
  readonly checksum: number;
}

export function encodeFetchTrailer(trailer: FetchTrailer): Buffer {
  return new Writer().u64(trailer.size).u32(trailer.checksum).finish();
}

export function decodeFetchTrailer(payload: Buffer): FetchTrailer {
  const reader = new Reader(payload);
  const trailer = { size: reader.u64(), checksum: reader.u32() };
  reader.end();
  return trailer;
}
