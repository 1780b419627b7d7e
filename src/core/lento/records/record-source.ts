import { crc32 } from 'node:zlib';
import { encodeRecord, type DecodedRecord } from '../../journal/index.js';
import type { Recno } from '../../model/ids.js';
import { LIMITS } from '../../model/limits.js';
import { NO_STRETCH } from '../../model/position.js';
import { areNormal } from '../../model/ranges.js';
import {
  Opcode,
  type CloseBody,
  type JournalRecord,
  type RecordHead,
} from '../../model/records.js';
import { ESTALE } from '../../system/errno.js';
import { close, lseek, SEEK_END } from '../../system/files.js';
import type { Exchange } from '../../wire/connection.js';
import { ProtocolError } from '../../wire/errors.js';
import { Code } from '../../wire/kinds.js';
import {
  ContentKind,
  decodePiece,
  encodeFetchTrailer,
  encodeReason,
  type Address,
  type Batch,
  type BatchItem,
  type FetchRequest,
} from '../../wire/messages.js';
import { ContentPieces, FileTooShort } from '../contents/pieces.js';
import { errnoOf, type Flow } from '../status/flow.js';
import { LowerContents } from '../contents/lower-contents.js';
import { packPiece } from '../contents/packing.js';
import type { PeerBacklog } from './peer-backlog.js';
import type { Replica } from '../replica.js';

const EMPTY = Buffer.alloc(0);

/** What a peer gets next. */
export interface Outgoing {
  readonly batch: Batch;
  /**
   * undefined where it may be sent at once. Contents that were superseded do not come along, nor does what a shortened
   * history does without. What makes that needless has to be durable by then: if a power cut took it, this host would go back
   * to a tree of which the peer believes to have what follows.
   * @throws Error of fsync(2)
   */
  readonly ready: Promise<void> | undefined;
}

/** Reads this host's log and file contents for a peer. */
export class RecordSource {
  readonly #contents: LowerContents;
  readonly #scratch = Buffer.from(new ArrayBuffer(LIMITS.recordBytes));

  constructor(private readonly replica: Replica) {
    this.#contents = new LowerContents(replica.lowerFd);
  }

  /**
   * The batch that begins with record `from`. Records that are not for the peer, because it has them, are left out, and
   * those that its backlog does without.
   * @throws IzoError where the log cannot be read
   */
  batch(
    address: Address,
    from: Recno,
    isFor: (head: RecordHead) => boolean,
    acked: Recno,
    backlog: PeerBacklog,
  ): Outgoing {
    const { reader, end } = this.replica;
    const limits = { records: LIMITS.batchRecords, bytes: LIMITS.batchBytes };
    const start = this.replica.notVoid(from);
    const begun = backlog.next(start, isFor);
    if (begun !== undefined) backlog.add(begun);
    const shortened = begun ?? backlog.at(start);
    const stretch = shortened?.stretch ?? NO_STRETCH;
    const left = shortened?.left.filter(({ record }) => record.head.recno >= start);
    const records = left?.slice(0, limits.records) ?? reader.read(start, limits, end).records;
    const items: BatchItem[] = [];
    let next = start;
    let checksum = reader.positionAt(start - 1)?.checksum ?? 0;
    let bytes = 0;
    let superseded = false;
    for (const decoded of records) {
      const { record } = decoded;
      if (isNews(record, isFor)) {
        const item = this.#item(decoded);
        bytes += item.record.length + item.data.length;
        // One item always fits; what does not begins the next batch.
        if (items.length > 0 && bytes > LIMITS.batchBytes) break;
        items.push(item);
        superseded ||= item.content === ContentKind.none && hadContents(record);
      }
      next = record.head.recno + 1;
      checksum = decoded.checksum;
    }
    // Behind the last of its records a stretch is over, and the peer has all of it.
    if (left !== undefined && (left.at(-1)?.record.head.recno ?? 0) < next) {
      next = stretch.to + 1;
      checksum = reader.positionAt(stretch.to)?.checksum ?? 0;
    }
    const batch = { ...address, acked, from, next, checksum, stretch, items };
    const isLess = superseded || begun !== undefined;
    return { batch, ready: isLess ? this.replica.sync() : undefined };
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

  /**
   * Answers FETCH. ESTALE tells the asker that a later record brings newer contents.
   * @throws ProtocolError where what is asked for is no part of the contents
   */
  async serveFetch(
    request: FetchRequest,
    exchange: Exchange,
    flow: Flow,
    onPiece: () => void = () => undefined,
  ): Promise<void> {
    const { recno } = request;
    const { reader, end } = this.replica;
    const [decoded] =
      recno > end ? [] : reader.read(recno, { records: 1, bytes: LIMITS.recordBytes }, end).records;
    const body = decoded?.record.body;
    if (decoded?.record.head.recno !== recno || body?.op !== Opcode.CLOSE) {
      exchange.reply(Code.failed, encodeReason(`record ${recno} has no contents`));
      return;
    }
    if (request.from > body.size || !areNormal(request.ranges, body.size)) {
      throw new ProtocolError('parts of contents that cannot be asked for');
    }
    const fd = this.#contents.open(decoded.record, body);
    if (fd < 0) {
      await this.#replyStale(exchange);
      return;
    }
    try {
      const { path, size } = body;
      const ranges = request.ranges.length > 0 ? request.ranges : [{ offset: 0, length: size }];
      const checksum = await flow.during('to', { path, ranges }, (transfer) =>
        this.#stream(fd, size, { ...request, ranges }, exchange, (position, bytes) => {
          transfer.reached(position, bytes);
          onPiece();
        }),
      );
      const good = checksum !== undefined && this.#contents.isCurrent(fd, decoded.record);
      if (good) exchange.reply(Code.ok, encodeFetchTrailer({ size: body.size, checksum }));
      else await this.#replyStale(exchange);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== undefined) flow.stuck('to', { path: body.path, operation: 'read', errno });
      throw error;
    } finally {
      close(fd);
    }
  }

  /** As with contents that did not come along, what superseded them is durable first. */
  async #replyStale(exchange: Exchange): Promise<void> {
    await this.replica.sync();
    exchange.reply(ESTALE);
  }

  /** @returns the CRC-32, or undefined where the file was not as long as it should be. */
  async #stream(
    fd: number,
    size: number,
    { from, ranges, packed }: FetchRequest,
    exchange: Exchange,
    onPiece: (position: number, bytes: number) => void,
  ): Promise<number | undefined> {
    let checksum = 0;
    try {
      for (const piece of new ContentPieces().of(fd, ranges)) {
        checksum = crc32(piece, checksum);
        const { offset, data } = decodePiece(piece);
        const isThere = offset < from;
        onPiece(offset + data.length, isThere ? 0 : data.length);
        // What the asker has is read for the checksum alone.
        if (isThere) await new Promise((resume) => setImmediate(resume));
        else await exchange.data(packed ? await packPiece(piece) : piece);
        if (!exchange.open) return undefined;
      }
    } catch (error) {
      if (error instanceof FileTooShort) return undefined;
      throw error;
    }
    return lseek(fd, 0, SEEK_END) === size ? checksum : undefined;
  }
}

function isNews({ head, body }: JournalRecord, isFor: (head: RecordHead) => boolean): boolean {
  return isFor(head) && body.op !== Opcode.NOOP;
}

/** They were here once, not only at a peer that has what superseded them. */
function hadContents({ body }: JournalRecord): boolean {
  return body.op === Opcode.CLOSE && body.handle.ino !== 0;
}
