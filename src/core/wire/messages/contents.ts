import type { Recno } from '../../model/ids.js';
import { Reader, Writer } from '../codec.js';
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

/** What follows the contents: their length in bytes and their CRC-32. */
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
