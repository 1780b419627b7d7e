import { assert } from '../model/assert.js';
import { IzoError } from '../model/errors.js';
import { type ConnectionLost, ProtocolError } from './errors.js';
import { Fetch } from './fetch.js';
import { kindName } from './kinds.js';
import type { PacketWriter } from './packet-writer.js';
import { CODE_BYTES, HEADER_BYTES, PacketType, type Packet } from './packet.js';
import type { WireLimits } from './wire-limits.js';

const TOKEN_MAX = 0xffffffff;

/** How the peer answered: its return code (0: well) and what it has to say. */
export interface Reply {
  readonly code: number;
  readonly payload: Buffer;
}

export interface RequestOptions {
  /** After this the promise is rejected with `request-timeout`. What the peer does with the request is unknown. */
  readonly timeoutMs?: number;
}

/** Who waits for the answer. `finish` and `lose` may come after the waiting has ended, and are then ignored. */
interface Pending {
  finish(code: number, payload: Buffer): void;
  lose(error: Error): void;
  /** Only for exchanges with bulk data. */
  accept?(chunk: Buffer): void;
}

interface Asked {
  readonly pending: Pending;
  readonly bytes: number;
  /** The peer's name for the exchange: 0 until its first packet. */
  stoken: number;
}

function waitForReply(
  kind: number,
  timeoutMs: number | undefined,
  resolve: (reply: Reply) => void,
  reject: (error: Error) => void,
): Pending {
  let timer: NodeJS.Timeout | undefined;
  if (timeoutMs !== undefined) {
    timer = setTimeout(() => {
      const message = `no answer to ${kindName(kind)} within ${timeoutMs} ms`;
      reject(new IzoError('request-timeout', message));
    }, timeoutMs).unref();
  }
  return {
    finish: (code, payload) => {
      clearTimeout(timer);
      resolve({ code, payload });
    },
    lose: (error) => {
      clearTimeout(timer);
      reject(error);
    },
  };
}

/**
 * The exchanges that this end has begun. An exchange stays in the table until its final packet has come, also when
 * nobody waits for it any more: only then is its ctoken free, and does the peer count it as answered.
 */
export class Asking {
  readonly #peer: string;
  readonly #writer: PacketWriter;
  readonly #limits: WireLimits;
  readonly #asked = new Map<number, Asked>();
  #bytes = 0;
  #lastToken = 0;
  #lost: ConnectionLost | undefined;

  constructor(peer: string, writer: PacketWriter, limits: WireLimits) {
    this.#peer = peer;
    this.#writer = writer;
    this.#limits = limits;
  }

  request(kind: number, payload: Buffer, options: RequestOptions): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#begin(kind, payload, (refusal) => {
        if (refusal === undefined) return waitForReply(kind, options.timeoutMs, resolve, reject);
        reject(refusal);
        return undefined;
      });
    });
  }

  fetch(kind: number, payload: Buffer): Fetch {
    let token = 0;
    const fetch = new Fetch({
      peer: this.#peer,
      limits: this.#limits,
      grant: (bytes) => {
        this.#allow(token, bytes);
      },
      stop: () => {
        this.#allow(token, 0);
      },
    });
    token = this.#begin(kind, payload, (refusal) => {
      if (refusal === undefined) return fetch;
      fetch.lose(refusal);
      return undefined;
    });
    if (token !== 0) this.#allow(token, this.#limits.windowBytes);
    return fetch;
  }

  notify(kind: number, payload: Buffer): void {
    this.#send(kind, 0, payload);
  }

  /** REP, DAT or EOD has come. */
  take(packet: Packet): void {
    const asked = this.#asked.get(packet.ctoken);
    if (asked === undefined) throw new ProtocolError('an answer to a question nobody asked');
    if (asked.stoken !== 0 && asked.stoken !== packet.stoken) {
      throw new ProtocolError('an exchange changes its stoken');
    }
    asked.stoken = packet.stoken;
    if (packet.type === PacketType.DAT) {
      if (asked.pending.accept === undefined) throw new ProtocolError('bulk data nobody asked for');
      asked.pending.accept(packet.payload);
      return;
    }
    this.#asked.delete(packet.ctoken);
    this.#bytes -= asked.bytes;
    asked.pending.finish(packet.payload.readInt32LE(0), packet.payload.subarray(CODE_BYTES));
  }

  lose(error: ConnectionLost): void {
    this.#lost = error;
    for (const asked of this.#asked.values()) asked.pending.lose(error);
    this.#asked.clear();
  }

  /** Sends the request if there is room. `enter` gets the refusal, or gives back who waits. @returns ctoken or 0. */
  #begin(
    kind: number,
    payload: Buffer,
    enter: (refusal: IzoError | undefined) => Pending | undefined,
  ): number {
    const pending = enter(this.#refusal(payload.length));
    if (pending === undefined) return 0;
    const ctoken = this.#newToken();
    this.#asked.set(ctoken, { pending, bytes: payload.length, stoken: 0 });
    this.#bytes += payload.length;
    this.#send(kind, ctoken, payload);
    return ctoken;
  }

  #refusal(bytes: number): IzoError | undefined {
    if (this.#lost !== undefined) return this.#lost;
    const { requests, requestBytes } = this.#limits;
    if (this.#asked.size < requests && this.#bytes + bytes <= requestBytes) return undefined;
    const message = `${this.#peer} has ${this.#asked.size} requests to answer already`;
    return new IzoError('too-many-requests', message);
  }

  #send(kind: number, ctoken: number, payload: Buffer): void {
    assert(kind > 0 && kind <= 0xffff, `${kind} is no kind of request`);
    assert(payload.length + HEADER_BYTES <= this.#limits.packetBytes, 'a request fits a packet');
    this.#writer.send({ type: PacketType.REQ, kind, ctoken, stoken: 0, payload });
  }

  #allow(ctoken: number, bytes: number): void {
    const asked = this.#asked.get(ctoken);
    if (asked === undefined) return;
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32LE(bytes);
    this.#writer.send({ type: PacketType.SND, kind: 0, ctoken, stoken: asked.stoken, payload });
  }

  /** Tokens are used in turn, so that a late packet does not meet a new exchange. */
  #newToken(): number {
    let token = this.#lastToken;
    do token = token === TOKEN_MAX ? 1 : token + 1;
    while (this.#asked.has(token));
    this.#lastToken = token;
    return token;
  }
}
