import { assert } from '../model/assert.js';
import { FetchAbandoned, ProtocolError } from './errors.js';
import { Code } from './kinds.js';
import type { PacketWriter } from './packet-writer.js';
import { CODE_BYTES, HEADER_BYTES, PacketType } from './packet.js';
import { chunkCost, type WireLimits } from './wire-limits.js';

const EMPTY = Buffer.alloc(0);

export interface ExchangeOptions {
  readonly writer: PacketWriter;
  readonly limits: WireLimits;
  /** 0: a notice. */
  readonly ctoken: number;
  readonly stoken: number;
  /** The final packet is on its way. */
  readonly onEnd: () => void;
}

/**
 * A request that this end answers: with `reply` alone, or with any number of `await data(...)` and then `reply`.
 * When the connection or the asker's interest is gone, `reply` does nothing and `data` throws.
 */
export class Exchange {
  readonly #options: ExchangeOptions;
  #state: 'open' | 'answered' | 'gone' = 'open';
  #goneBecause: Error | undefined;
  #sentData = false;
  #sending = false;
  #credit = 0;
  #wake: (() => void) | undefined;
  #failSend: ((error: Error) => void) | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** False for notices, which nobody wants answered; `reply` does nothing then. */
  get wanted(): boolean {
    return this.#options.ctoken !== 0;
  }

  /** False when there is no sense in working on: it was answered, or nobody waits any more. */
  get open(): boolean {
    return this.#state === 'open';
  }

  /** Ends the exchange. `code` 0 means well; other codes are numbers of errno(3). */
  reply(code: number, payload: Buffer = EMPTY): void {
    if (this.#state === 'gone') return;
    assert(this.#state === 'open', 'a request is answered once');
    this.#final(code, payload);
    this.#end('answered');
  }

  /**
   * Sends bulk data as the sink takes it. The next call must wait for this one; after it, `buffer` may be used again.
   * Throws FetchAbandoned where the sink wants no more, and ConnectionLost.
   */
  async data(buffer: Buffer): Promise<void> {
    assert(!this.#sending, 'one data() at a time');
    this.#sending = true;
    try {
      const { chunkBytes } = this.#options.limits;
      for (let at = 0; at < buffer.length; at += chunkBytes) {
        const chunk = buffer.subarray(at, at + chunkBytes);
        await this.#allowed(chunkCost(chunk.length));
        await this.#send(chunk);
      }
      this.#check();
    } finally {
      this.#sending = false;
    }
  }

  /** SND has come. Called by the connection. */
  allow(bytes: number): void {
    if (this.#state !== 'open') return;
    if (bytes === 0) {
      this.#final(Code.abandoned, EMPTY);
      this.lose(new FetchAbandoned());
      return;
    }
    this.#credit += bytes;
    if (this.#credit > this.#options.limits.windowBytes) {
      throw new ProtocolError('a sink allows more than a window');
    }
    this.#wake?.();
  }

  /** Nobody waits for the answer any more. Called by the connection. */
  lose(error: Error): void {
    if (this.#state !== 'open') return;
    this.#goneBecause = error;
    this.#failSend?.(error);
    this.#end('gone');
  }

  async #allowed(cost: number): Promise<void> {
    this.#check();
    while (this.#credit < cost) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#check();
    }
  }

  #send(chunk: Buffer): Promise<void> {
    const { writer, ctoken, stoken } = this.#options;
    return new Promise((resolve, reject) => {
      writer.whenWritable(() => {
        if (this.#state !== 'open') {
          resolve();
          return;
        }
        this.#sentData = true;
        this.#credit -= chunkCost(chunk.length);
        const packet = { type: PacketType.DAT, kind: 0, ctoken, stoken, payload: chunk };
        writer.send(packet, (error) => {
          if (!error) resolve();
          else if (this.#goneBecause !== undefined) reject(this.#goneBecause);
          // The socket knows before the connection does, which will tell why.
          else this.#failSend = reject;
        });
      });
    });
  }

  /** The sink asked with SND for bulk data; it takes REP as the end where no data came. */
  #final(code: number, payload: Buffer): void {
    const { writer, ctoken, stoken, limits } = this.#options;
    const length = HEADER_BYTES + CODE_BYTES + payload.length;
    assert(length <= limits.packetBytes, 'a reply fits a packet');
    if (ctoken === 0) return;
    const type = this.#sentData ? PacketType.EOD : PacketType.REP;
    writer.send({ type, kind: 0, ctoken, stoken, code, payload });
  }

  #end(state: 'answered' | 'gone'): void {
    this.#state = state;
    this.#wake?.();
    this.#options.onEnd();
  }

  #check(): void {
    if (this.#goneBecause !== undefined) throw this.#goneBecause;
    assert(this.#state === 'open', 'no data() after reply()');
  }
}
