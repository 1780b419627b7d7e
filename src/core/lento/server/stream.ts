import type { Recno } from '../../model/ids.js';
import { mayUpdate } from '../../replication/server.js';
import { E } from '../../system/errno.js';
import type { Exchange } from '../../wire/connection.js';
import { ProtocolError } from '../../wire/errors.js';
import { Code, Kind } from '../../wire/kinds.js';
import { decodeBatch, encodeBatch, encodeBatchReply, type Batch } from '../../wire/messages.js';
import { readBatchReply } from '../records/batch-reply.js';
import { errorText } from '../error-text.js';
import type { ServerContext } from './context.js';
import type { ServerPeer } from './peer.js';

/** Records to the replicators and from them. */
export class ServerStream {
  constructor(private readonly context: ServerContext) {}

  sendBatch(name: string, from: Recno): void {
    const { peers, machine, source } = this.context;
    const peer = peers.get(name);
    if (peer === undefined) return;
    const fail = (error: unknown): void => {
      if (peers.has(peer)) peers.fail(peer, `the log cannot be read: ${errorText(error)}`);
    };
    try {
      const acked = machine.state.peers.get(name)?.expected ?? 0;
      const { batch, ready } = source.batch(peer.address, from, peer.wants, acked, peer.backlog);
      const send = (): void => this.#send(peer, batch);
      if (ready === undefined) send();
      else machine.background(ready.then(send, fail), 'making what is left out durable');
    } catch (error) {
      fail(error);
    }
  }

  #send(peer: ServerPeer, batch: Batch): void {
    const { peers, machine } = this.context;
    if (!peers.has(peer)) return;
    // First: what is dispatched may send the next one.
    machine.background(this.#awaitBatch(peer, batch), 'sending records');
    machine.dispatch({ type: 'batch-sent', peer: peer.name, next: batch.next });
  }

  async #awaitBatch(peer: ServerPeer, batch: Batch): Promise<void> {
    const { peers, machine } = this.context;
    const reply = await peer.connection.request(Kind.RECORDS, encodeBatch(batch));
    if (!peers.has(peer)) return;
    const { expected, message, fault } = readBatchReply(reply);
    const flow = peers.flow(peer.name);
    if (fault !== undefined) flow.stuck('to', fault);
    if (reply.code === Code.ok) {
      flow.passed('to');
      machine.dispatch({ type: 'batch-answered', peer: peer.name, expected });
    } else peers.fail(peer, message);
  }

  /** The peer has everything before `expected`. */
  acknowledged(name: string, expected: Recno): void {
    const { peers, replica, machine, keeper } = this.context;
    const peer = peers.get(name);
    if (peer === undefined || expected <= peer.acked) return;
    keeper.acknowledged(name, peer.backlog.heldFrom(expected));
    peer.acked = expected;
    const noted = replica.acknowledged(peer.replica, expected - 1);
    machine.background(noted, 'noting an acknowledgement');
  }

  async receive(peer: ServerPeer, payload: Buffer, exchange: Exchange): Promise<void> {
    const { machine, replica, peers } = this.context;
    if (!mayUpdate(machine.state, peer.name)) {
      const message = encodeBatchReply({ expected: 0, message: 'it does not hold the permit' });
      exchange.reply(E.EPERM, message);
      return;
    }
    const outcome = await peer.sink.receive(decodeBatch(payload)).catch((error: unknown) => {
      if (error instanceof ProtocolError) throw error;
      return errorText(error);
    });
    if (typeof outcome === 'string') {
      peers.errors.set(peer.name, outcome);
      const fault = peers.flow(peer.name).fault('from');
      exchange.reply(Code.failed, encodeBatchReply({ expected: 0, message: outcome, fault }));
      return;
    }
    const { expected, recno, reason, message, fault } = outcome;
    replica.announced(recno);
    if (reason !== undefined) peers.errors.set(peer.name, message);
    const code = reason === undefined ? Code.ok : Code.failed;
    exchange.reply(code, encodeBatchReply({ expected, message, fault }));
    machine.dispatch({ type: 'applied', peer: peer.name, expected, end: recno });
  }
}
