import type { Fault } from '../../model/fault.js';
import type { Recno } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import type { Stretch } from '../../model/position.js';
import { Reader, Writer } from '../codec.js';
import { ProtocolError } from '../errors.js';
import { readAddressFrom, writerTo, type Address } from './address.js';
import { decodeReason, encodeReason, MESSAGE_BYTES } from './greeting.js';

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
  /** The record as it stands in the sender's log, but for what a shortened history had to mend. */
  readonly record: Buffer;
  readonly content: ContentKind;
  /** The contents where they are inline; else empty. */
  readonly data: Buffer;
}

/**
 * RECORDS: a piece of the sender's log. Numbers that no item has are records which the receiver has itself made, or which a
 * shortened history does without.
 */
export interface Batch extends Address {
  /** What the sender expects next of the receiver's log: an acknowledgement in passing. */
  readonly acked: Recno;
  /** Where the piece begins: where the batch before it ended, or where the receiver said at the greeting. */
  readonly from: Recno;
  /** What the receiver is to expect after this batch, and the checksum of the record before that. */
  readonly next: Recno;
  readonly checksum: number;
  /** The stretch of the log that the records are a shortened history of; NO_STRETCH where they are as they were made. */
  readonly stretch: Stretch;
  readonly items: readonly BatchItem[];
}

/** Names of operations and of errors. */
const WORD_BYTES = 32;

const EMPTY = Buffer.alloc(0);

export function encodeBatch(batch: Batch): Buffer {
  const bytes = batch.items.reduce((sum, i) => sum + i.record.length + i.data.length + 9, 128);
  return writerTo(batch, bytes)
    .u64(batch.acked)
    .u64(batch.from)
    .u64(batch.next)
    .u32(batch.checksum)
    .u64(batch.stretch.from)
    .u64(batch.stretch.to)
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
    ...readAddressFrom(reader),
    acked: reader.u64(),
    from: reader.u64(),
    next: reader.u64(),
    checksum: reader.u32(),
    stretch: { from: reader.u64(), to: reader.u64() },
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
  /** What did not pass, where that is known. */
  readonly fault?: Fault | undefined;
}

const NO_FAULT: Fault = { path: '', operation: '', errno: '' };

export function encodeBatchReply({ expected, message, fault = NO_FAULT }: BatchReply): Buffer {
  return new Writer()
    .u64(expected)
    .bytes(encodeReason(message), MESSAGE_BYTES)
    .latin1(fault.path, LIMITS.pathBytes)
    .latin1(fault.operation, WORD_BYTES)
    .latin1(fault.errno, WORD_BYTES)
    .finish();
}

export function decodeBatchReply(payload: Buffer): BatchReply {
  const reader = new Reader(payload);
  const expected = reader.u64();
  const message = decodeReason(reader.bytes(MESSAGE_BYTES));
  const fault = {
    path: reader.latin1(LIMITS.pathBytes),
    operation: reader.latin1(WORD_BYTES),
    errno: reader.latin1(WORD_BYTES),
  };
  reader.end();
  return { expected, message, fault: fault.errno === '' ? undefined : fault };
}
