import { open, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { decodeRecord } from '../journal/index.js';
import type { Recno, ReplicaId } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { Opcode, type CloseBody, type JournalRecord } from '../model/records.js';
import type { WireItem } from '../psdev/items.js';
import type { ApplyReply } from '../psdev/messages.js';
import { ESTALE } from '../system/errno.js';
import type { Fetch } from '../wire/connection.js';
import { FetchFailed, ProtocolError } from '../wire/errors.js';
import {
  ContentKind,
  decodeFetchTrailer,
  decodePiece,
  type Batch,
  type BatchItem,
} from '../wire/messages.js';
import type { Replica } from './replica.js';
import { Semaphore } from './semaphore.js';

const EMPTY = Buffer.alloc(0);
const ZEROS = Buffer.alloc(LIMITS.chunkBytes);

export interface RecordSinkOptions {
  /** Where records are applied. */
  readonly replica: Replica;
  readonly peer: ReplicaId;
  /** Next record of the peer's log. */
  readonly expected: Recno;
  /** Log what is applied: the server does, of each client the client's own updates and no others. */
  readonly log: boolean;
  readonly fetch: (recno: Recno) => Fetch;
}

/** A record that waits for a merge, and its contents where it has any. */
export interface CollectedItem {
  readonly record: JournalRecord;
  readonly contents: Promise<WireItem>;
}

/**
 * Takes batches of a peer's log: contents that did not come along are fetched, several at a time and ahead of their turn;
 * records are applied in their order.
 */
export class RecordSink {
  readonly #fetches = new Semaphore(LIMITS.fetchesInFlight);
  #last: Promise<unknown> = Promise.resolve();
  /** Why a batch was not taken whole. Those behind it, on their way already, would leave out what is missing of it. */
  #fault: Error | undefined;

  /** Where the next batch has to begin. */
  #next: Recno;

  constructor(private readonly options: RecordSinkOptions) {
    this.#next = options.expected;
  }

  /**
   * After a failure, of whatever kind, nothing is taken any more: the peer has to say hello again.
   * @throws ProtocolError for records that cannot be; ConnectionLost while fetching; ChannelClosed without presto; and what
   * the stage could not be written for.
   */
  async receive(batch: Batch): Promise<ApplyReply> {
    if (batch.from !== this.#next) throw new ProtocolError('a batch is missing');
    const records = batch.items.map(readRecord);
    checkOrder(batch, records);
    if (this.options.log) checkOrigin(this.options.peer, records);
    this.#next = batch.next;
    const contents = batch.items.map((item, i) => this.#content(item, records[i]));
    // Who waits for them is the turn below; until then a failure must not count as unhandled.
    for (const content of contents) content.catch(() => undefined);
    const turn = this.#last.then(() => this.#apply(batch, contents));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** The peer's log has no records before this one any more that we do not have. */
  resumeAt(recno: Recno): void {
    this.#next = recno;
  }

  /** Takes a batch without applying it: it waits for a merge. Its contents come meanwhile. @throws ProtocolError */
  collect(batch: Batch): CollectedItem[] {
    if (batch.from !== this.#next) throw new ProtocolError('a batch is missing');
    const records = batch.items.map(readRecord);
    checkOrder(batch, records);
    this.#next = batch.next;
    return batch.items.map((item, i) => {
      const record = records[i] ?? readRecord(item);
      const contents = this.#content(item, record);
      contents.catch(() => undefined);
      return { record, contents };
    });
  }

  /**
   * Nothing that waits for its turn or its contents will be applied: this host goes on as disconnected, and its programs
   * update a tree for which those records are not made.
   */
  abandon(reason: string): void {
    this.#fault ??= new Error(reason);
  }

  /** Resolves when nothing is being applied any more: then the counters stand still. */
  async idle(): Promise<void> {
    await this.#last;
  }

  async #apply(batch: Batch, contents: Promise<WireItem>[]): Promise<ApplyReply> {
    const settled = await Promise.allSettled(contents);
    const items = settled.filter((r) => r.status === 'fulfilled').map((r) => r.value);
    try {
      const failed = settled.find((r) => r.status === 'rejected');
      if (this.#fault !== undefined) throw this.#fault;
      if (failed !== undefined) throw failed.reason as Error;
      const { replica, peer, log } = this.options;
      const { next, checksum } = batch;
      const reply = await replica.apply({ peer, log, next, checksum }, items);
      if (reply.reason !== undefined) this.#fault = new Error(reply.message);
      return reply;
    } catch (error) {
      this.#fault = error as Error;
      throw error;
    } finally {
      await this.#clean(items);
    }
  }

  /** presto has moved what it took; the rest is no use any more. */
  async #clean(items: readonly WireItem[]): Promise<void> {
    for (const item of items) {
      if (item.content !== 'staged') continue;
      await rm(this.options.replica.stagePath(item.data.toString('latin1')), { force: true });
    }
  }

  async #content(item: BatchItem, record: JournalRecord | undefined): Promise<WireItem> {
    if (item.content === ContentKind.none || record === undefined) {
      return { record: item.record, content: 'none', data: EMPTY };
    }
    const { body } = record;
    if (body.op !== Opcode.CLOSE) throw new ProtocolError('contents for a record without any');
    if (item.content === ContentKind.inline) {
      if (item.data.length !== body.size) throw new ProtocolError('contents of another size');
      return { record: item.record, content: 'inline', data: item.data };
    }
    const name = `${record.head.origin.toString(16)}-${record.head.originRecno}`;
    const fetched = await this.#fetches.run(() => this.#stage(record, body, name));
    return fetched
      ? { record: item.record, content: 'staged', data: Buffer.from(name, 'latin1') }
      : { record: item.record, content: 'none', data: EMPTY };
  }

  /** Fetches into the stage. @returns false where a later record brings newer contents. */
  async #stage(record: JournalRecord, body: CloseBody, name: string): Promise<boolean> {
    const path = this.options.replica.stagePath(name);
    await rm(path, { force: true });
    const file = await open(path, 'wx', 0o600);
    try {
      const fetch = this.options.fetch(record.head.recno);
      let size = 0;
      let checksum = 0;
      for await (const payload of fetch) {
        const { offset, data: chunk } = decodePiece(payload);
        if (offset < size) throw new ProtocolError('pieces of contents in disorder');
        size = offset + chunk.length;
        if (size > body.size) throw new ProtocolError('more contents than the record says');
        checksum = crc32(payload, checksum);
        // Holes stay holes: a sparse file that fits the peer's disk fits this one.
        if (!chunk.equals(ZEROS.subarray(0, chunk.length))) {
          await file.write(chunk, 0, chunk.length, offset);
        }
      }
      await file.truncate(body.size);
      const trailer = decodeFetchTrailer(fetch.trailer);
      if (trailer.size !== body.size || trailer.checksum !== checksum) {
        throw new ProtocolError('the contents do not have the size and checksum that were sent');
      }
      return true;
    } catch (error) {
      await rm(path, { force: true });
      if (error instanceof FetchFailed && error.reply === ESTALE) return false;
      throw error;
    } finally {
      await file.close();
    }
  }
}

function readRecord(item: BatchItem): JournalRecord {
  const decoded = decodeRecord(item.record, 0);
  if (typeof decoded === 'string') throw new ProtocolError(`a record: ${decoded}`);
  return decoded.record;
}

/** A client passes nobody's updates on: with another's name on them they would be kept from that one. */
function checkOrigin(peer: ReplicaId, records: readonly JournalRecord[]): void {
  for (const { head } of records) {
    // What a merge has amended keeps the number that it was made under.
    if (head.origin === peer && head.originRecno <= head.recno) continue;
    throw new ProtocolError('a record of another replica');
  }
}

/** Numbers grow, from where the batch begins, and stay below what it says comes next. */
function checkOrder(batch: Batch, records: readonly JournalRecord[]): void {
  let last = batch.from - 1;
  for (const { head } of records) {
    if (head.recno <= last || head.recno >= batch.next) {
      throw new ProtocolError('the records of a batch are out of order');
    }
    last = head.recno;
  }
}
