import type { Recno, ReplicaId } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { Reader, Writer } from './codec.js';
import { ProtocolError } from './errors.js';
import { Kind } from './kinds.js';

/**
 * What the requests say. Each names its fileset first, because one connection serves all filesets of two hosts. Encoders
 * and decoders stand in pairs; a decoder throws ProtocolError for anything its encoder would not have written.
 */

/** Changes with every change of the payloads or their order. Hosts of different versions refuse each other. */
export const PROTOCOL_VERSION = 1;

const NAME = LIMITS.filesetNameBytes;
const MESSAGE_BYTES = 1024;

/** HELLO, both in the request (of the client) and in the reply (of the server). */
export interface Hello {
  readonly version: number;
  readonly fileset: string;
  /** The sender's log and its last record. */
  readonly replica: ReplicaId;
  readonly end: Recno;
  /** Next record the sender expects from the other's log, and the checksum of the one before it; 1 and 0 at first. */
  readonly expects: Recno;
  readonly checksum: number;
}

export function encodeHello(hello: Hello): Buffer {
  return new Writer()
    .u16(hello.version)
    .latin1(hello.fileset, NAME)
    .u48(hello.replica)
    .u64(hello.end)
    .u64(hello.expects)
    .u32(hello.checksum)
    .finish();
}

export function decodeHello(payload: Buffer): Hello {
  const reader = new Reader(payload);
  const version = reader.u16();
  // What follows is that version's business.
  if (version !== PROTOCOL_VERSION) {
    return { version, fileset: '', replica: 0, end: 0, expects: 1, checksum: 0 };
  }
  const hello = {
    version,
    fileset: reader.latin1(NAME),
    replica: reader.u48(),
    end: reader.u64(),
    expects: reader.u64(),
    checksum: reader.u32(),
  };
  reader.end();
  if (hello.replica === 0 || hello.expects === 0) throw new ProtocolError('an impossible hello');
  return hello;
}

/** POSITION: the client's side of REPSTATUS, once it knows whose log it talks about. */
export interface PositionMessage {
  readonly fileset: string;
  readonly expects: Recno;
  readonly checksum: number;
}

export function encodePosition(message: PositionMessage): Buffer {
  return new Writer()
    .latin1(message.fileset, NAME)
    .u64(message.expects)
    .u32(message.checksum)
    .finish();
}

export function decodePosition(payload: Buffer): PositionMessage {
  const reader = new Reader(payload);
  const message = {
    fileset: reader.latin1(NAME),
    expects: reader.u64(),
    checksum: reader.u32(),
  };
  reader.end();
  if (message.expects === 0) throw new ProtocolError('an impossible position');
  return message;
}

/** How the contents of a CLOSE come. */
export const ContentKind = {
  /** Not a CLOSE, or one whose contents a later CLOSE has superseded. */
  none: 0,
  inline: 1,
  /** To be fetched with FETCH. */
  fetch: 2,
} as const;

export type ContentKind = (typeof ContentKind)[keyof typeof ContentKind];

export interface BatchItem {
  /** The record as it stands in the sender's log. */
  readonly record: Buffer;
  readonly content: ContentKind;
  /** The contents where they are inline; else empty. */
  readonly data: Buffer;
}

/** RECORDS: a piece of the sender's log. Numbers that no item has are records the receiver has itself made. */
export interface Batch {
  readonly fileset: string;
  /** What the sender expects next of the receiver's log: an acknowledgement in passing. */
  readonly acked: Recno;
  /** What the receiver is to expect after this batch, and the checksum of the record before that. */
  readonly next: Recno;
  readonly checksum: number;
  readonly items: readonly BatchItem[];
}

const EMPTY = Buffer.alloc(0);

export function encodeBatch(batch: Batch): Buffer {
  const bytes = batch.items.reduce((sum, i) => sum + i.record.length + i.data.length + 9, 128);
  return new Writer(bytes)
    .latin1(batch.fileset, NAME)
    .u64(batch.acked)
    .u64(batch.next)
    .u32(batch.checksum)
    .list(batch.items, LIMITS.batchRecords, (item, writer) => {
      writer
        .bytes(item.record, LIMITS.recordBytes)
        .u8(item.content)
        .bytes(item.data, LIMITS.inlineContentBytes);
    })
    .finish();
}

export function decodeBatch(payload: Buffer): Batch {
  const reader = new Reader(payload);
  const batch = {
    fileset: reader.latin1(NAME),
    acked: reader.u64(),
    next: reader.u64(),
    checksum: reader.u32(),
    items: reader.list(LIMITS.batchRecords, decodeItem),
  };
  reader.end();
  return batch;
}

function decodeItem(reader: Reader): BatchItem {
  const record = reader.bytes(LIMITS.recordBytes);
  const content = reader.u8();
  const data = reader.bytes(LIMITS.inlineContentBytes);
  switch (content) {
    case ContentKind.none:
    case ContentKind.fetch:
      if (data.length > 0) throw new ProtocolError('contents where there should be none');
      return { record, content, data: EMPTY };
    case ContentKind.inline:
      return { record, content, data };
    default:
      throw new ProtocolError(`${content} is no kind of contents`);
  }
}

/** The reply to a batch: what the receiver expects now; with a code other than 0, also why it stopped there. */
export interface BatchReply {
  readonly expected: Recno;
  readonly message: string;
}

export function encodeBatchReply(reply: BatchReply): Buffer {
  const message = Buffer.from(reply.message, 'utf8').subarray(0, MESSAGE_BYTES);
  return new Writer().u64(reply.expected).bytes(message, MESSAGE_BYTES).finish();
}

export function decodeBatchReply(payload: Buffer): BatchReply {
  const reader = new Reader(payload);
  const reply = { expected: reader.u64(), message: reader.bytes(MESSAGE_BYTES).toString('utf8') };
  reader.end();
  return reply;
}

/** FETCH: the contents that the record `recno` of the asked host's log is about. */
export interface FetchRequest {
  readonly fileset: string;
  readonly recno: Recno;
}

export function encodeFetch(request: FetchRequest): Buffer {
  return new Writer().latin1(request.fileset, NAME).u64(request.recno).finish();
}

export function decodeFetch(payload: Buffer): FetchRequest {
  const reader = new Reader(payload);
  const request = { fileset: reader.latin1(NAME), recno: reader.u64() };
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

/** PERMIT, BARRIER: about a fileset, and nothing else to say. */
export function encodeFileset(fileset: string): Buffer {
  return new Writer().latin1(fileset, NAME).finish();
}

export function decodeFileset(payload: Buffer): string {
  const reader = new Reader(payload);
  const fileset = reader.latin1(NAME);
  reader.end();
  return fileset;
}

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
export interface Revocation {
  readonly fileset: string;
  readonly generation: number;
}

export function encodeRevocation(revocation: Revocation): Buffer {
  return new Writer().latin1(revocation.fileset, NAME).u64(revocation.generation).finish();
}

export function decodeRevocation(payload: Buffer): Revocation {
  const reader = new Reader(payload);
  const revocation = { fileset: reader.latin1(NAME), generation: reader.u64() };
  reader.end();
  return revocation;
}

/** The reply to REVOKE: the last record that was made with the permit. */
export function encodeRecno(recno: Recno): Buffer {
  return new Writer().u64(recno).finish();
}

export function decodeRecno(payload: Buffer): Recno {
  const reader = new Reader(payload);
  const recno = reader.u64();
  reader.end();
  return recno;
}

/** LEAVE: a fileset is not served any more on this connection, and why. */
export interface Leave {
  readonly fileset: string;
  readonly reason: string;
}

export function encodeLeave(leave: Leave): Buffer {
  const reason = Buffer.from(leave.reason, 'utf8').subarray(0, MESSAGE_BYTES);
  return new Writer().latin1(leave.fileset, NAME).bytes(reason, MESSAGE_BYTES).finish();
}

export function decodeLeave(payload: Buffer): Leave {
  const reader = new Reader(payload);
  const leave = {
    fileset: reader.latin1(NAME),
    reason: reader.bytes(MESSAGE_BYTES).toString('utf8'),
  };
  reader.end();
  return leave;
}

/** The fileset that a request is about: which one has to be known before the rest is anybody's business. */
export function readFileset(kind: number, payload: Buffer): string {
  const reader = new Reader(payload);
  if (kind === Kind.HELLO) reader.u16();
  return reader.latin1(NAME);
}

/** An explanation for a reply with a code other than 0. */
export function encodeReason(reason: string): Buffer {
  return Buffer.from(reason, 'utf8').subarray(0, MESSAGE_BYTES);
}

export function decodeReason(payload: Buffer): string {
  return payload.subarray(0, MESSAGE_BYTES).toString('utf8');
}
