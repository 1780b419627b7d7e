import type { Recno } from '../../model/ids.js';
import { Reader, Writer } from '../codec.js';
import { ProtocolError } from '../errors.js';
import { readAddressFrom, writerTo, type Address } from './address.js';

/** FETCH: the contents that the record `recno` of the asked host's log is about. */
export interface FetchRequest extends Address {
  readonly recno: Recno;
}

export function encodeFetch(request: FetchRequest): Buffer {
  return writerTo(request).u64(request.recno).finish();
}

export function decodeFetch(payload: Buffer): FetchRequest {
  const reader = new Reader(payload);
  const request = { ...readAddressFrom(reader), recno: reader.u64() };
  reader.end();
  return request;
}

/** The offset that every piece of contents begins with, in bytes: what no piece has is a hole. */
export const PIECE_OFFSET_BYTES = 8;

/** A piece of contents, in the order of their offsets. */
export interface Piece {
  readonly offset: number;
  readonly data: Buffer;
}

/** Writes the offset of a piece to the start of `buffer`, where the data stand behind it already. */
export function putPieceOffset(buffer: Buffer, offset: number): void {
  buffer.writeBigUInt64LE(BigInt(offset), 0);
}

export function decodePiece(payload: Buffer): Piece {
  if (payload.length <= PIECE_OFFSET_BYTES) throw new ProtocolError('an empty piece of contents');
  const offset = Number(payload.readBigUInt64LE(0));
  return { offset, data: payload.subarray(PIECE_OFFSET_BYTES) };
}

/** What follows the contents: their length in bytes, and the CRC-32 of all pieces with their offsets. */
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
