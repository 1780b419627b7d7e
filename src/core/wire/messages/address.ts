import { LIMITS } from '../../model/limits.js';
import { Reader, Writer } from '../codec.js';
import { Kind } from '../kinds.js';

/**
 * What a request is about: each begins with this, because one connection serves all filesets of two hosts, one session of
 * each after the other. A session begins with its HELLO; what still arrives of an older one is nobody's business.
 */
export interface Address {
  readonly fileset: string;
  /** Chosen by the client, larger than any before. */
  readonly session: number;
}

export function writerTo({ fileset, session }: Address, sizeHint?: number): Writer {
  return new Writer(sizeHint).latin1(fileset, LIMITS.filesetNameBytes).u64(session);
}

export function readAddressFrom(reader: Reader): Address {
  return { fileset: reader.latin1(LIMITS.filesetNameBytes), session: reader.u64() };
}

/** The fileset alone: which one has to be known before the rest is anybody's business. In all versions of the protocol. */
export function readFileset(kind: number, payload: Buffer): string {
  const reader = new Reader(payload);
  if (kind === Kind.HELLO) reader.u16();
  return reader.latin1(LIMITS.filesetNameBytes);
}

/** The session of any request but HELLO. */
export function readSession(payload: Buffer): number {
  return readAddressFrom(new Reader(payload)).session;
}

/** PERMIT, BARRIER: about a fileset, and nothing else to say. */
export function encodeAddress(address: Address): Buffer {
  return writerTo(address).finish();
}

export function decodeAddress(payload: Buffer): Address {
  const reader = new Reader(payload);
  const address = readAddressFrom(reader);
  reader.end();
  return address;
}
