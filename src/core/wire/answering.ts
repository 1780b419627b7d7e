import { type ConnectionLost, FetchAbandoned, ProtocolError } from './errors.js';
import { Exchange } from './exchange.js';
import { Code, Kind, kindName } from './kinds.js';
import type { WireLog } from './log.js';
import type { PacketWriter } from './packet-writer.js';
import { PacketType, type Packet } from './packet.js';
import type { WireLimits } from './wire-limits.js';

const TOKEN_MAX = 0xffffffff;

/**
 * Answers requests. It may answer at once or later, in any order. What it throws (or rejects with) before it has
 * answered is logged and answered with Code.failed; a ProtocolError closes the connection.
 */
export type RequestHandler = (
  kind: number,
  payload: Buffer,
  exchange: Exchange,
) => void | Promise<void>;

export interface AnsweringOptions {
  readonly peer: string;
  readonly writer: PacketWriter;
  readonly limits: WireLimits;
  readonly log: WireLog;
  /** The peer broke a rule, which an asynchronous handler found out. */
  readonly onBreach: (error: ProtocolError) => void;
}

/** The exchanges that the peer has begun, by its ctokens. */
export class Answering {
  readonly #options: AnsweringOptions;
  readonly #exchanges = new Map<number, Exchange>();
  #handler: RequestHandler | undefined;
  #bytes = 0;
  #lastToken = 0;

  constructor(options: AnsweringOptions) {
    this.#options = options;
  }

  set handler(handler: RequestHandler) {
    this.#handler = handler;
  }

  /** REQ or SND has come. */
  take(packet: Packet): void {
    if (packet.type === PacketType.REQ) this.#request(packet);
    // What the sink said before it saw the final packet is late, not wrong.
    else this.#exchanges.get(packet.ctoken)?.allow(packet.payload.readUInt32LE(0));
  }

  lose(error: ConnectionLost): void {
    for (const exchange of this.#exchanges.values()) exchange.lose(error);
  }

  #request(packet: Packet): void {
    const exchange = this.#newExchange(packet);
    if (packet.kind === (Kind.PING as number)) {
      exchange.reply(Code.ok);
      return;
    }
    if (this.#handler === undefined) {
      exchange.reply(Code.unknown);
      return;
    }
    try {
      const working = this.#handler(packet.kind, packet.payload, exchange);
      working?.catch((error: unknown) => {
        this.#failed(packet.kind, exchange, error, this.#options.onBreach);
      });
    } catch (error) {
      this.#failed(packet.kind, exchange, error, (breach) => {
        throw breach;
      });
    }
  }

  #newExchange(packet: Packet): Exchange {
    const { writer, limits } = this.#options;
    const { ctoken } = packet;
    const bytes = packet.payload.length;
    this.#lastToken = this.#lastToken === TOKEN_MAX ? 1 : this.#lastToken + 1;
    const stoken = this.#lastToken;
    if (ctoken === 0)
      return new Exchange({ writer, limits, ctoken, stoken, onEnd: () => undefined });
    if (this.#exchanges.has(ctoken)) throw new ProtocolError('a ctoken is used twice');
    if (this.#exchanges.size >= limits.requests) throw new ProtocolError('too many requests');
    if (this.#bytes + bytes > limits.requestBytes) throw new ProtocolError('requests too big');
    const onEnd = (): void => {
      this.#exchanges.delete(ctoken);
      this.#bytes -= bytes;
    };
    const exchange = new Exchange({ writer, limits, ctoken, stoken, onEnd });
    this.#exchanges.set(ctoken, exchange);
    this.#bytes += bytes;
    return exchange;
  }

  #failed(
    kind: number,
    exchange: Exchange,
    error: unknown,
    onBreach: (error: ProtocolError) => void,
  ): void {
    if (error instanceof ProtocolError) {
      onBreach(error);
      return;
    }
    // A source need not catch what tells it that the sink has gone.
    if (error instanceof FetchAbandoned || !exchange.open) return;
    const { log, peer } = this.#options;
    log.error({ peer, err: error }, `${kindName(kind)} failed`);
    exchange.reply(Code.failed);
  }
}
