import type { Recno, ReplicaId } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import { NO_STRETCH, type Stretch } from '../../model/position.js';
import { Reader, Writer } from '../codec.js';
import { ProtocolError } from '../errors.js';
import { readAddressFrom, writerTo, type Address } from './address.js';

/** Changes with every change of the payloads or their order. Hosts of different versions refuse each other. */
export const PROTOCOL_VERSION = 8;

/** HELLO, both in the request (of the client) and in the reply (of the server). */
export interface Hello extends Address {
  readonly version: number;
  /** The sender's log and its last record. */
  readonly replica: ReplicaId;
  readonly end: Recno;
  /** Next record the sender expects from the other's log, and the checksum of the one before it; 1 and 0 at first. */
  readonly expects: Recno;
  readonly checksum: number;
  /** The stretch of that log that the sender has in part, shortened. */
  readonly stretch: Stretch;
}

export function encodeHello(hello: Hello): Buffer {
  return new Writer()
    .u16(hello.version)
    .latin1(hello.fileset, LIMITS.filesetNameBytes)
    .u64(hello.session)
    .u48(hello.replica)
    .u64(hello.end)
    .u64(hello.expects)
    .u32(hello.checksum)
    .u64(hello.stretch.from)
    .u64(hello.stretch.to)
    .finish();
}

export function decodeHello(payload: Buffer): Hello {
  const reader = new Reader(payload);
  const version = reader.u16();
  // What follows is that version's business.
  if (version !== PROTOCOL_VERSION) {
    const nothing = { fileset: '', session: 0, replica: 0, end: 0, expects: 1, checksum: 0 };
    return { version, ...nothing, stretch: NO_STRETCH };
  }
  const hello = {
    version,
    ...readAddressFrom(reader),
    replica: reader.u48(),
    end: reader.u64(),
    expects: reader.u64(),
    checksum: reader.u32(),
    stretch: { from: reader.u64(), to: reader.u64() },
  };
  reader.end();
  if (hello.replica === 0 || hello.expects === 0) throw new ProtocolError('an impossible hello');
  return hello;
}

/**
 * POSITION: the client's side of REPSTATUS, once it knows whose log it talks about, and where its own log begins for the
 * server.
 */
export interface PositionMessage extends Address {
  readonly expects: Recno;
  readonly checksum: number;
  readonly stretch: Stretch;
  /** The client's log has all records up to this one, and those from `resumes` on. What is between them it has lost. */
  readonly intact: Recno;
  readonly resumes: Recno;
}

export function encodePosition(message: PositionMessage): Buffer {
  return writerTo(message)
    .u64(message.expects)
    .u32(message.checksum)
    .u64(message.stretch.from)
    .u64(message.stretch.to)
    .u64(message.intact)
    .u64(message.resumes)
    .finish();
}

export function decodePosition(payload: Buffer): PositionMessage {
  const reader = new Reader(payload);
  const message = {
    ...readAddressFrom(reader),
    expects: reader.u64(),
    checksum: reader.u32(),
    stretch: { from: reader.u64(), to: reader.u64() },
    intact: reader.u64(),
    resumes: reader.u64(),
  };
  reader.end();
  if (message.expects === 0 || message.intact >= message.resumes)
    throw new ProtocolError('an impossible position');
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
