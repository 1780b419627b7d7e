import { rm } from 'node:fs/promises';
import { decodeRecord } from '../../journal/index.js';
import type { Recno, ReplicaId } from '../../model/ids.js';
import type { JournalRecord } from '../../model/records.js';
import type { WireItem } from '../../psdev/items.js';
import type { ApplyReply } from '../../psdev/messages.js';
import type { Fetch } from '../../wire/connection.js';
import { faultOfBatch, faultOfOrigin } from '../../replication/batches.js';
import { ConnectionLost, ProtocolError } from '../../wire/errors.js';
import type { Batch, BatchItem } from '../../wire/messages.js';
import { IncomingContents, type WantedContents } from '../contents/incoming.js';
import type { Flow } from '../status/flow.js';
import type { Replica } from '../replica.js';

export interface RecordSinkOptions {
  /** Where records are applied. */
  readonly replica: Replica;
  readonly peer: ReplicaId;
  /** Next record of the peer's log. */
  readonly expected: Recno;
  /** Log what is applied: the server does, of each client the client's own updates and no others. */
  readonly log: boolean;
  readonly fetch: (wanted: WantedContents) => Fetch;
  readonly flow: Flow;
}

/** A record that waits for a merge, and its contents where it has any. */
export interface CollectedItem {
  readonly record: JournalRecord;
  readonly contents: Promise<WireItem>;
}

/** The session is over; what it has brought may come again in the next one. */
class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

/**
 * Takes batches of a peer's log: contents that did not come along are fetched, several at a time and ahead of their turn;
 * records are applied in their order.
 */
export class RecordSink {
  readonly #contents: IncomingContents;
  #last: Promise<unknown> = Promise.resolve();
  /** Why a batch was not taken whole. Those behind it, on their way already, would leave out what is missing of it. */
  #fault: Error | undefined;

  /** Where the next batch has to begin. */
  #next: Recno;

  constructor(private readonly options: RecordSinkOptions) {
    this.#next = options.expected;
    const { replica, peer, expected, fetch, flow } = options;
    this.#contents = new IncomingContents(replica, peer, expected, fetch, flow);
  }

  /**
   * After a failure, of whatever kind, nothing is taken any more: the peer has to say hello again.
   * @throws ProtocolError for records that cannot be; ConnectionLost while fetching; ChannelClosed without presto; and what
   * the stage could not be written for.
   */
  async receive(batch: Batch): Promise<ApplyReply> {
    const records = this.#read(batch);
    const contents = batch.items.map((item, i) =>
      this.#contents.of(item, records[i] ?? readRecord(item), false),
    );
    // Who waits for them is the turn below; until then a failure must not count as unhandled.
    for (const content of contents) content.catch(() => undefined);
    const turn = this.#last.then(() => this.#apply(batch, contents));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** The records of the batch that has to come now. @throws ProtocolError */
  #read(batch: Batch): JournalRecord[] {
    const { log, peer } = this.options;
    const records = batch.items.map(readRecord);
    const heads = records.map(({ head }) => head);
    const fault =
      faultOfBatch(batch, heads, this.#next) ?? (log ? faultOfOrigin(peer, heads) : undefined);
    if (fault !== undefined) throw new ProtocolError(fault);
    this.#next = batch.next;
    return records;
  }

  /** The peer's log has no records before this one any more that we do not have. */
  resumeAt(recno: Recno): void {
    this.#next = recno;
  }

  /** Takes a batch without applying it: it waits for a merge. Its contents come meanwhile. @throws ProtocolError */
  collect(batch: Batch): CollectedItem[] {
    const records = this.#read(batch);
    return batch.items.map((item, i) => {
      const record = records[i] ?? readRecord(item);
      const contents = this.#contents.of(item, record, true);
      contents.catch(() => undefined);
      return { record, contents };
    });
  }

  /**
   * Removes from the stage what has come for collected items, and was not taken out of it, once they are merged.
   * @param next the peer's record behind them
   */
  async discard(items: readonly CollectedItem[], next: Recno): Promise<void> {
    for (const { contents } of items) await this.#remove(await contents);
    await this.#contents.passed(next);
  }

  /**
   * Nothing that waits for its turn or its contents will be applied: this host goes on as disconnected, and its programs
   * update a tree for which those records are not made.
   */
  abandon(reason: string): void {
    this.#fault ??= new Abandoned(reason);
  }

  /** Resolves when nothing is being fetched or applied any more: then the stage and the counters stand still. */
  async idle(): Promise<void> {
    await this.#contents.idle();
    await this.#last;
  }

  async #apply(batch: Batch, contents: Promise<WireItem>[]): Promise<ApplyReply> {
    const settled = await Promise.allSettled(contents);
    const items = settled.filter((r) => r.status === 'fulfilled').map((r) => r.value);
    try {
      const failed = settled.find((r) => r.status === 'rejected');
      if (this.#fault !== undefined) throw this.#fault;
      if (failed !== undefined) throw failed.reason as Error;
      const { replica, peer, log, flow } = this.options;
      const { next, checksum, stretch } = batch;
      const reply = await replica.apply({ peer, log, next, checksum, stretch }, items);
      if (reply.reason !== undefined) this.#fault = new Error(reply.message);
      else {
        flow.passed('from');
        await this.#contents.passed(next);
      }
      if (reply.fault !== undefined) flow.stuck('from', reply.fault);
      return reply;
    } catch (error) {
      this.#fault = error as Error;
      this.options.flow.failed(error);
      throw error;
    } finally {
      await this.#clean(items);
    }
  }

  /** presto has moved what it took; the rest is no use any more, unless it comes again when there is a connection. */
  async #clean(items: readonly WireItem[]): Promise<void> {
    if (this.#fault instanceof ConnectionLost || this.#fault instanceof Abandoned) return;
    for (const item of items) await this.#remove(item);
  }

  async #remove({ content, data }: WireItem): Promise<void> {
    if (content !== 'staged' && content !== 'patch') return;
    await rm(this.options.replica.stagePath(data.toString('latin1')), { force: true });
  }
}

function readRecord(item: BatchItem): JournalRecord {
  const decoded = decodeRecord(item.record, 0);
  if (typeof decoded === 'string') throw new ProtocolError(`a record: ${decoded}`);
  return decoded.record;
}
