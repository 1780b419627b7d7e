import type { Socket } from 'node:net';
import { Answering, type RequestHandler } from './answering.js';
import { Asking, type Reply, type RequestOptions } from './asking.js';
import { ConnectionLost, ProtocolError } from './errors.js';
import type { Fetch } from './fetch.js';
import { KeepAlive } from './keep-alive.js';
import { Kind } from './kinds.js';
import type { WireLog } from './log.js';
import { PacketWriter } from './packet-writer.js';
import { PacketDecoder, PacketType, type Packet } from './packet.js';
import { wireLimits, type WireLimits } from './wire-limits.js';

export type { Exchange } from './exchange.js';
export type { Fetch } from './fetch.js';
export type { Reply, RequestHandler, RequestOptions };

const EMPTY = Buffer.alloc(0);

export interface ConnectionOptions {
  /** The other host's name, for messages. */
  readonly peer: string;
  readonly log: WireLog;
  readonly limits?: Partial<WireLimits>;
}

/**
 * The one connection between two hosts, over a socket that is ready to use. Both ends ask and answer, many exchanges at
 * a time. It ends by `close`, by the peer's leaving, its silence, or its breaking a rule; then everything that waits
 * is rejected with ConnectionLost, and `closed` tells the reason. Set `onRequest` in the turn that makes it.
 */
export class Connection {
  readonly peer: string;
  /** Resolves with the reason, in words, when the connection has ended. Never rejects. */
  readonly closed: Promise<string>;

  readonly #socket: Socket;
  readonly #log: WireLog;
  readonly #limits: WireLimits;
  readonly #decoder: PacketDecoder;
  readonly #writer: PacketWriter;
  readonly #asking: Asking;
  readonly #answering: Answering;
  readonly #keepAlive: KeepAlive;
  #settleClosed: (reason: string) => void = () => undefined;
  #ended = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    const { peer, log } = options;
    const limits = wireLimits(options.limits);
    this.peer = peer;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.#socket = socket;
    this.#log = log;
    this.#limits = limits;
    this.#decoder = new PacketDecoder(limits);
    this.#writer = new PacketWriter(socket, limits.sendBytes, () => {
      this.#fail('it does not read what we send');
    });
    this.#asking = new Asking(peer, this.#writer, limits);
    this.#answering = new Answering({
      peer,
      log,
      limits,
      writer: this.#writer,
      onBreach: (error) => {
        this.#breach(error);
      },
    });
    this.#keepAlive = new KeepAlive({
      limits,
      probe: () => {
        this.#probe();
      },
      lost: (silentMs) => {
        this.#fail(`nothing heard for ${(silentMs / 1000).toFixed(1)} s`);
      },
    });
    this.#listen();
  }

  /** Asks, and waits for the answer. Rejects only where there is none: ConnectionLost, a time-out, too many requests. */
  request(kind: number, payload: Buffer, options: RequestOptions = {}): Promise<Reply> {
    return this.#asking.request(kind, payload, options);
  }

  /** Asks for bulk data. A refusal comes out of the iteration as FetchFailed. */
  fetch(kind: number, payload: Buffer): Fetch {
    return this.#asking.fetch(kind, payload);
  }

  /** Tells something, without an answer and, when the connection is being lost, without effect. */
  notify(kind: number, payload: Buffer): void {
    this.#asking.notify(kind, payload);
  }

  /** Sets who answers. Until then requests are answered with Code.unknown. PING never gets there. */
  onRequest(handler: RequestHandler): void {
    this.#answering.handler = handler;
  }

  /** Ends the connection; what was sent before still arrives, if the peer takes it soon. */
  close(reason: string): void {
    if (this.#ended) return;
    this.#end(reason);
    // Not destroyed at once: if the peer has said something that we have not read, the kernel would tell it so by a
    // reset, and it would lose what it has not read either. Its leaving ends the socket.
    this.#socket.end();
    setTimeout(() => {
      this.#socket.destroy();
    }, this.#limits.closeMs).unref();
  }

  #listen(): void {
    const socket = this.#socket;
    if (socket.destroyed) {
      this.#fail('it was closed at once');
      return;
    }
    socket.on('data', (chunk: Buffer) => {
      if (!this.#ended) this.#received(chunk);
    });
    socket.on('error', (error) => {
      this.#fail(error.message);
    });
    socket.on('end', () => {
      this.#fail('the other end has closed it');
    });
    socket.on('close', () => {
      this.#fail('it was closed');
    });
    // Whoever prepared the socket may have paused it.
    socket.resume();
  }

  #received(chunk: Buffer): void {
    this.#keepAlive.heard();
    try {
      for (const packet of this.#decoder.push(chunk)) {
        if (this.#ended) return;
        this.#dispatch(packet);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#breach(error);
    }
  }

  #dispatch(packet: Packet): void {
    const forAnswering = packet.type === PacketType.REQ || packet.type === PacketType.SND;
    if (forAnswering) this.#answering.take(packet);
    else this.#asking.take(packet);
  }

  #probe(): void {
    // The answer's bytes count, not the answer; and if there is none, the silence is found elsewhere.
    this.request(Kind.PING, EMPTY).catch(() => undefined);
  }

  #breach(error: ProtocolError): void {
    if (this.#ended) return;
    this.#log.warn({ peer: this.peer, reason: error.message }, 'the peer broke the protocol');
    this.#fail(`the peer broke the protocol: ${error.message}`);
  }

  #fail(reason: string): void {
    this.#end(reason);
    this.#socket.destroy();
  }

  /** Tells everybody who waits. After this nothing is sent, and what is received is ignored. */
  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#keepAlive.stop();
    const lost = new ConnectionLost(this.peer, reason);
    this.#asking.lose(lost);
    this.#answering.lose(lost);
    this.#writer.close();
    this.#settleClosed(reason);
  }
}
