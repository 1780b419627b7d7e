import { crc32 } from 'node:zlib';
import { encodeRecord, type DecodedRecord } from '../journal/index.js';
import type { Recno } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { Opcode, type CloseBody, type JournalRecord, type RecordHead } from '../model/records.js';
import { ESTALE } from '../system/errno.js';
import { close, lseek, pread, SEEK_END } from '../system/files.js';
import { Memory } from '../system/native.js';
import type { Exchange } from '../wire/connection.js';
import { Code } from '../wire/kinds.js';
import {
  ContentKind,
  encodeFetchTrailer,
  encodeReason,
  PIECE_OFFSET_BYTES,
  putPieceOffset,
  type Address,
  type Batch,
  type BatchItem,
} from '../wire/messages.js';
import { dataExtents } from './data-extents.js';
import { LowerContents } from './lower-contents.js';
import type { Replica } from './replica.js';

const EMPTY = Buffer.alloc(0);

/** Reads this host's log and file contents for a peer. */
export class RecordSource {
  readonly #contents: LowerContents;
  readonly #scratch = Buffer.from(new ArrayBuffer(LIMITS.recordBytes));

  constructor(private readonly replica: Replica) {
    this.#contents = new LowerContents(replica.lowerFd);
  }

  /**
   * The batch that begins with record `from`. Records that are not for the peer, because it has them, are left out.
   * @throws IzoError where the log cannot be read
   */
  batch(address: Address, from: Recno, isFor: (head: RecordHead) => boolean, acked: Recno): Batch {
    const { reader, end } = this.replica;
    const limits = { records: LIMITS.batchRecords, bytes: LIMITS.batchBytes };
    const start = this.replica.notVoid(from);
    const { records } = reader.read(start, limits, end);
    const items: BatchItem[] = [];
    let next = start;
    let checksum = reader.positionAt(start - 1)?.checksum ?? 0;
    let bytes = 0;
    for (const decoded of records) {
      const { record } = decoded;
      if (isNews(record, isFor)) {
        const item = this.#item(decoded);
        bytes += item.record.length + item.data.length;
        // One item always fits; what does not begins the next batch.
        if (items.length > 0 && bytes > LIMITS.batchBytes) break;
        items.push(item);
      }
      next = record.head.recno + 1;
      checksum = decoded.checksum;
    }
    return { ...address, acked, from, next, checksum, items };
  }

  #item(decoded: DecodedRecord): BatchItem {
    const { record } = decoded;
    const { head, body } = record;
    const length = encodeRecord(this.#scratch, 0, head.recno, decoded.previous, head, body);
    const bytes = Buffer.from(this.#scratch.subarray(0, length));
    if (body.op !== Opcode.CLOSE) return { record: bytes, content: ContentKind.none, data: EMPTY };
    return { record: bytes, ...this.#content(record, body) };
  }

  #content(record: JournalRecord, body: CloseBody): Pick<BatchItem, 'content' | 'data'> {
    if (body.size <= LIMITS.inlineContentBytes) {
      const data = this.#contents.readWhole(record, body);
      return data === undefined
        ? { content: ContentKind.none, data: EMPTY }
        : { content: ContentKind.inline, data };
    }
    const fd = this.#contents.open(record, body);
    if (fd < 0) return { content: ContentKind.none, data: EMPTY };
    close(fd);
    return { content: ContentKind.fetch, data: EMPTY };
  }

  /** Answers FETCH. ESTALE tells the asker that a later record brings newer contents. */
  async serveFetch(recno: Recno, exchange: Exchange): Promise<void> {
    const { reader, end } = this.replica;
    const [decoded] =
      recno > end ? [] : reader.read(recno, { records: 1, bytes: LIMITS.recordBytes }, end).records;
    const body = decoded?.record.body;
    if (decoded?.record.head.recno !== recno || body?.op !== Opcode.CLOSE) {
      exchange.reply(Code.failed, encodeReason(`record ${recno} has no contents`));
      return;
    }
    const fd = this.#contents.open(decoded.record, body);
    if (fd < 0) {
      exchange.reply(ESTALE);
      return;
    }
    try {
      const checksum = await this.#stream(fd, body.size, exchange);
      const good = checksum !== undefined && this.#contents.isCurrent(fd, decoded.record);
      if (good) exchange.reply(Code.ok, encodeFetchTrailer({ size: body.size, checksum }));
      else exchange.reply(ESTALE);
    } finally {
      close(fd);
    }
  }

  /** Holes are left out. @returns the CRC-32, or undefined where the file was not as long as it should be. */
  async #stream(fd: number, size: number, exchange: Exchange): Promise<number | undefined> {
    const memory = new Memory(LIMITS.chunkBytes);
    const room = memory.length - PIECE_OFFSET_BYTES;
    let checksum = 0;
    for (const extent of dataExtents(fd, size)) {
      for (let { offset } = extent; offset < extent.end;) {
        const want = Math.min(room, extent.end - offset);
        const count = pread(fd, memory.address + PIECE_OFFSET_BYTES, want, offset);
        if (count <= 0) return undefined;
        const piece = memory.buffer.subarray(0, PIECE_OFFSET_BYTES + count);
        putPieceOffset(piece, offset);
        checksum = crc32(piece, checksum);
        await exchange.data(piece);
        offset += count;
      }
    }
    return lseek(fd, 0, SEEK_END) === size ? checksum : undefined;
  }
}

function isNews({ head, body }: JournalRecord, isFor: (head: RecordHead) => boolean): boolean {
  return isFor(head) && body.op !== Opcode.NOOP;
}
