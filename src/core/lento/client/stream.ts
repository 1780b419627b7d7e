import type { Recno } from '../../model/ids.js';
import type { JournalRecord, RecordHead } from '../../model/records.js';
import { merge } from '../../replication/merge/merge.js';
import { writtenNews } from '../../replication/merge/written.js';
import { E } from '../../system/errno.js';
import type { Connection, Exchange } from '../../wire/connection.js';
import { Code, Kind } from '../../wire/kinds.js';
import { decodeBatch, encodeBatch, encodeBatchReply, type Batch } from '../../wire/messages.js';
import { readBatchReply } from '../records/batch-reply.js';
import type { ClientContext } from './context.js';
import type { ClientLink } from './link.js';
import { errorText } from '../error-text.js';
import { LowerView } from '../merging/lower-view.js';
import { mergeWithServer } from '../merging/merge-session.js';
import { CollectedObjects } from '../merging/server-objects.js';
import type { CollectedItem } from '../records/record-sink.js';
import type { RecordSource } from '../records/record-source.js';

/** A batch that the machine has yet to judge, and its exchange. */
interface BatchInHand {
  readonly batch: Batch;
  readonly exchange: Exchange;
}

/** Records to the server and from it. */
export class ClientStream {
  #inHand: BatchInHand | undefined;
  /** The server's records that wait for a merge, and the checksum of the last one. */
  readonly #held: CollectedItem[] = [];
  #heldChecksum = 0;
  #merging: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: ClientContext,
    private readonly link: ClientLink,
    private readonly source: RecordSource,
  ) {}

  sendBatch(from: Recno): void {
    const { machine } = this.context;
    const { connection, server, address, backlog } = this.link;
    if (connection === undefined || backlog === undefined) return;
    const isStill = (): boolean =>
      connection === this.link.connection && address.session === this.link.address.session;
    const fail = (error: unknown): void => {
      if (isStill()) this.link.failed(`the log cannot be read: ${errorText(error)}`);
    };
    const { expected } = machine.state;
    try {
      const isFor = ({ origin }: RecordHead): boolean => origin !== server;
      const { batch, ready } = this.source.batch(address, from, isFor, expected, backlog);
      const send = (): void => {
        if (isStill()) this.#send(connection, batch);
      };
      if (ready === undefined) send();
      else machine.background(ready.then(send, fail), 'making what is left out durable');
    } catch (error) {
      fail(error);
    }
  }

  #send(connection: Connection, batch: Batch): void {
    const { machine } = this.context;
    // First: what is dispatched may send the next one.
    machine.background(this.#awaitBatch(connection, batch), 'sending records');
    machine.dispatch({ type: 'batch-sent', next: batch.next });
  }

  async #awaitBatch(connection: Connection, batch: Batch): Promise<void> {
    const { session } = batch;
    const reply = await connection.request(Kind.RECORDS, encodeBatch(batch));
    if (connection !== this.link.connection || session !== this.link.address.session) return;
    const { expected, message, fault } = readBatchReply(reply);
    const { machine, server } = this.context;
    const { flow } = this.link;
    if (fault !== undefined) flow.stuck('to', fault);
    if (reply.code === Code.ok) {
      flow.passed('to');
      machine.dispatch({ type: 'batch-answered', expected });
    } else this.link.failed(`${server} cannot take our records: ${message}`);
  }

  /** The server has everything before `expected`. */
  acknowledged(expected: Recno): void {
    const { machine, replica, keeper, server } = this.context;
    keeper.acknowledged(server, this.link.backlog?.heldFrom(expected) ?? expected);
    const noted = replica.acknowledged(this.link.server, expected - 1);
    machine.background(noted, 'noting an acknowledgement');
  }

  async received(payload: Buffer, exchange: Exchange): Promise<void> {
    const batch = decodeBatch(payload);
    await this.link.greeted();
    this.#inHand = { batch, exchange };
    const { acked, items, next } = batch;
    this.context.machine.dispatch({ type: 'batch', acked, updates: items.length > 0, next });
  }

  #takeInHand(use: (inHand: BatchInHand) => void): void {
    const inHand = this.#inHand;
    this.#inHand = undefined;
    if (inHand !== undefined) use(inHand);
  }

  apply(): void {
    const { machine } = this.context;
    this.#takeInHand((inHand) => machine.background(this.#apply(inHand), 'applying records'));
  }

  async #apply({ batch, exchange }: BatchInHand): Promise<void> {
    const { machine } = this.context;
    const { sink } = this.link;
    if (sink === undefined) return;
    const outcome = await sink.receive(batch).catch((error: unknown) => errorText(error));
    if (typeof outcome === 'string') {
      // Unanswered, it would count as being on its way for ever. The server lets us go, and we say hello again later.
      const { expected } = machine.state;
      const fault = this.link.flow.fault('from');
      exchange.reply(Code.failed, encodeBatchReply({ expected, message: outcome, fault }));
      return;
    }
    const { expected, reason, message, fault } = outcome;
    const reply = encodeBatchReply({ expected, message, fault });
    machine.dispatch({ type: 'applied', expected });
    exchange.reply(reason === undefined ? Code.ok : Code.failed, reply);
    if (reason !== undefined) this.link.error = message;
  }

  refuse(): void {
    this.#takeInHand(({ exchange }) => {
      const message = this.link.error ?? 'it is not connected';
      const { expected } = this.context.machine.state;
      exchange.reply(E.EBUSY, encodeBatchReply({ expected, message }));
    });
  }

  /** The batch waits for a merge; the server may send the next one. */
  hold(): void {
    this.#takeInHand(({ batch, exchange }) => {
      const { sink } = this.link;
      if (sink === undefined) return;
      this.#held.push(...sink.collect(batch));
      this.#heldChecksum = batch.checksum;
      const { expected } = this.context.machine.state;
      exchange.reply(Code.ok, encodeBatchReply({ expected, message: '' }));
    });
  }

  merge(): void {
    this.#merging = this.#merge();
    this.context.machine.background(this.#merging, 'merging');
  }

  /** Resolves when nothing is being merged any more: then the counters and the log stand still. */
  async idle(): Promise<void> {
    await this.#merging.catch(() => undefined);
  }

  async #merge(): Promise<void> {
    const { machine, replica, log, server, merging } = this.context;
    const { connection, address, sink, backlog } = this.link;
    const { held, sender } = machine.state;
    if (connection === undefined || sender === undefined || backlog === undefined) return;
    const collected = this.#held.splice(0);
    log.info({ fileset: replica.fileset }, `merging with ${server}: both sides were changed`);
    try {
      const { end, conflicts } = await mergeWithServer({
        ...merging,
        replica,
        news: await newsOf(collected),
        objects: (stage) => new CollectedObjects(stage, connection, address, collected),
        merge,
        tree: new LowerView(replica.lowerFd),
        peer: this.link.server,
        next: held,
        checksum: this.#heldChecksum,
        replaces: sender.acked,
        discard: () => sink?.discard(collected, held) ?? Promise.resolve(),
        backlog,
      });
      log.info({ fileset: replica.fileset, conflicts }, `merged; ${conflicts} conflicts`);
      this.link.flow.passed('from');
      machine.dispatch({ type: 'merged', end, expected: held });
    } catch (error) {
      this.link.flow.failed(error);
      if (connection === this.link.connection) {
        this.link.failed(`the changes of both sides cannot be merged: ${errorText(error)}`);
      }
    }
  }

  /** The connection is gone: what waited comes again. */
  forget(): void {
    this.#held.splice(0);
  }
}

/** What has come of the server's updates. @throws what their contents could not be fetched for */
async function newsOf(collected: readonly CollectedItem[]): Promise<JournalRecord[]> {
  const contents = await Promise.all(collected.map((item) => item.contents));
  const news = collected.map(({ record }) => record);
  return writtenNews(news, (_, index) => contents[index]?.content !== 'none');
}
