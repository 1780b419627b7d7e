import type { Recno } from '../../model/ids.js';
import { Reader, Writer } from '../codec.js';
import { readAddressFrom, writerTo, type Address } from './address.js';

/** The reply to PERMIT: of use once the server's log is applied up to `upto`. */
export interface Grant {
  readonly generation: number;
  readonly upto: Recno;
}

export function encodeGrant(grant: Grant): Buffer {
  return new Writer().u64(grant.generation).u64(grant.upto).finish();
}

export function decodeGrant(payload: Buffer): Grant {
  const reader = new Reader(payload);
  const grant = { generation: reader.u64(), upto: reader.u64() };
  reader.end();
  return grant;
}

/** REVOKE: the permit of this generation ends. */
export interface Revocation extends Address {
  readonly generation: number;
}

export function encodeRevocation(revocation: Revocation): Buffer {
  return writerTo(revocation).u64(revocation.generation).finish();
}

export function decodeRevocation(payload: Buffer): Revocation {
  const reader = new Reader(payload);
  const revocation = { ...readAddressFrom(reader), generation: reader.u64() };
  reader.end();
  return revocation;
}

/** The reply to REVOKE: the last record that was made with the permit. To a hello that comes late: the last session. */
export function encodeNumber(number: number): Buffer {
  return new Writer().u64(number).finish();
}

export function decodeNumber(payload: Buffer): number {
  const reader = new Reader(payload);
  const number = reader.u64();
  reader.end();
  return number;
}
