import type { Recno } from '../model/ids.js';
import { E } from '../system/errno.js';
import type { Connection, Exchange } from '../wire/connection.js';
import { Code, Kind } from '../wire/kinds.js';
import { decodeBatch, encodeBatch, encodeBatchReply, type Batch } from '../wire/messages.js';
import { readBatchReply } from './batch-reply.js';
import type { ClientContext } from './client-context.js';
import type { ClientLink } from './client-link.js';
import { errorText } from './error-text.js';
import type { RecordSource } from './record-source.js';

/** A batch that the machine has yet to judge, and its exchange. */
interface BatchInHand {
  readonly batch: Batch;
  readonly exchange: Exchange;
}

/** Records to the server and from it. */
export class ClientStream {
  #inHand: BatchInHand | undefined;

  constructor(
    private readonly context: ClientContext,
    private readonly link: ClientLink,
    private readonly source: RecordSource,
  ) {}

  sendBatch(from: Recno): void {
    const { machine } = this.context;
    const { connection, server, address } = this.link;
    if (connection === undefined) return;
    let batch: Batch;
    try {
      batch = this.source.batch(
        address,
        from,
        ({ origin }) => origin !== server,
        machine.state.expected,
      );
    } catch (error) {
      this.link.failed(`the log cannot be read: ${errorText(error)}`);
      return;
    }
    machine.dispatch({ type: 'batch-sent', next: batch.next });
    machine.background(this.#awaitBatch(connection, batch), 'sending records');
  }

  async #awaitBatch(connection: Connection, batch: Batch): Promise<void> {
    const reply = await connection.request(Kind.RECORDS, encodeBatch(batch));
    if (connection !== this.link.connection) return;
    const { expected, message } = readBatchReply(reply);
    const { machine, server } = this.context;
    if (reply.code === Code.ok) machine.dispatch({ type: 'batch-answered', expected });
    else this.link.failed(`${server} cannot take our records: ${message}`);
  }

  /** The server has everything before `expected`. */
  acknowledged(expected: Recno): void {
    const { machine, replica } = this.context;
    const noted = replica.acknowledged(this.link.server, expected - 1);
    machine.background(noted, 'noting an acknowledgement');
  }

  async received(payload: Buffer, exchange: Exchange): Promise<void> {
    const batch = decodeBatch(payload);
    await this.link.greeted();
    this.#inHand = { batch, exchange };
    const { acked, items } = batch;
    this.context.machine.dispatch({ type: 'batch', acked, updates: items.length > 0 });
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
      exchange.reply(Code.failed, encodeBatchReply({ expected, message: outcome }));
      return;
    }
    const { expected, reason, message } = outcome;
    const reply = encodeBatchReply({ expected, message });
    machine.dispatch({ type: 'applied', expected });
    exchange.reply(reason === undefined ? Code.ok : Code.failed, reply);
    if (reason !== undefined) this.link.error = message;
  }

  refuse(): void {
    this.#takeInHand(({ exchange }) => {
      const { machine } = this.context;
      const message = this.link.error ?? 'it is not connected';
      exchange.reply(E.EBUSY, encodeBatchReply({ expected: machine.state.expected, message }));
    });
  }
}
