import type { Recno, ReplicaId } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import { NO_EPOCH, NO_STRETCH, type Stretch } from '../../model/position.js';
import { Reader, Writer } from '../codec.js';
import { ProtocolError } from '../errors.js';
import { readAddressFrom, writerTo, type Address } from './address.js';

/** Changes with every change of the payloads or their order. Hosts of different versions refuse each other. */
export const PROTOCOL_VERSION = 9;

/** HELLO, both in the request (of the client) and in the reply (of the server). */
export interface Hello extends Address {
  readonly version: number;
  /** The sender's log and its last record. */
  readonly replica: ReplicaId;
  readonly end: Recno;
  /** The epoch that the sender's log is in. */
  readonly current: number;
  /** What it has of the other's log. */
  readonly claim: WireClaim;
}

/** What the sender has of the other's log. */
export interface WireClaim {
  /** The record that it expects next, and the checksum of the one before it; 1 and 0 at first. */
  readonly expected: Recno;
  readonly checksum: number;
  /** The stretch that it has in part, shortened. */
  readonly stretch: Stretch;
  /** The last epoch in which that was found to be the log's history. */
  readonly epoch: number;
}

/** Of a log of which nothing is known. */
export const NO_CLAIM: WireClaim = {
  expected: 1,
  checksum: 0,
  stretch: NO_STRETCH,
  epoch: NO_EPOCH,
};

function writeClaim(writer: Writer, { expected, checksum, stretch, epoch }: WireClaim): Writer {
  return writer.u64(expected).u32(checksum).u64(stretch.from).u64(stretch.to).u48(epoch);
}

function readClaim(reader: Reader): WireClaim {
  const claim = {
    expected: reader.u64(),
    checksum: reader.u32(),
    stretch: { from: reader.u64(), to: reader.u64() },
    epoch: reader.u48(),
  };
  if (claim.expected === 0) throw new ProtocolError('an impossible position');
  return claim;
}

export function encodeHello(hello: Hello): Buffer {
  const writer = new Writer()
    .u16(hello.version)
    .latin1(hello.fileset, LIMITS.filesetNameBytes)
    .u64(hello.session)
    .u48(hello.replica)
    .u64(hello.end)
    .u48(hello.current);
  return writeClaim(writer, hello.claim).finish();
}

export function decodeHello(payload: Buffer): Hello {
  const reader = new Reader(payload);
  const version = reader.u16();
  // What follows is that version's business.
  if (version !== PROTOCOL_VERSION) {
    const nothing = { fileset: '', session: 0, replica: 0, end: 0, current: NO_EPOCH };
    return { version, ...nothing, claim: NO_CLAIM };
  }
  const hello = {
    version,
    ...readAddressFrom(reader),
    replica: reader.u48(),
    end: reader.u64(),
    current: reader.u48(),
    claim: readClaim(reader),
  };
  reader.end();
  if (hello.replica === 0) throw new ProtocolError('an impossible hello');
  return hello;
}

/**
 * POSITION: the client's side of REPSTATUS, once it knows whose log it talks about, and where its own log begins for the
 * server.
 */
export interface PositionMessage extends Address {
  readonly claim: WireClaim;
  /** The client's log has all records up to this one, and those from `resumes` on. What is between them it has lost. */
  readonly intact: Recno;
  readonly resumes: Recno;
}

export function encodePosition(message: PositionMessage): Buffer {
  return writeClaim(writerTo(message), message.claim)
    .u64(message.intact)
    .u64(message.resumes)
    .finish();
}

export function decodePosition(payload: Buffer): PositionMessage {
  const reader = new Reader(payload);
  const message = {
    ...readAddressFrom(reader),
    claim: readClaim(reader),
    intact: reader.u64(),
    resumes: reader.u64(),
  };
  reader.end();
  if (message.intact >= message.resumes) throw new ProtocolError('an impossible position');
  return message;
}

/** The reply to POSITION. */
export interface PositionReply {
  /** Where the server's log begins for the client: what it is to expect first. */
  readonly resumes: Recno;
  /** What the client expects was trimmed: no records follow, it has to take the tree (WALK). */
  readonly behind: boolean;
}

export function encodePositionReply(reply: PositionReply): Buffer {
  return new Writer().u64(reply.resumes).bool(reply.behind).finish();
}

export function decodePositionReply(payload: Buffer): PositionReply {
  const reader = new Reader(payload);
  const reply = { resumes: reader.u64(), behind: reader.bool() };
  reader.end();
  return reply;
}

/** LEAVE: a fileset is not served any more on this connection, and why. */
export interface Leave extends Address {
  readonly reason: string;
}

export function encodeLeave(leave: Leave): Buffer {
  return writerTo(leave).bytes(encodeReason(leave.reason), MESSAGE_BYTES).finish();
}

export function decodeLeave(payload: Buffer): Leave {
  const reader = new Reader(payload);
  const leave = {
    ...readAddressFrom(reader),
    reason: decodeReason(reader.bytes(MESSAGE_BYTES)),
  };
  reader.end();
  return leave;
}

/** The longest explanation, in bytes. */
export const MESSAGE_BYTES = 1024;

/** An explanation, as the payload of a reply with a code other than 0. */
export function encodeReason(reason: string): Buffer {
  return Buffer.from(reason, 'utf8').subarray(0, MESSAGE_BYTES);
}

export function decodeReason(payload: Buffer): string {
  return payload.subarray(0, MESSAGE_BYTES).toString('utf8');
}
