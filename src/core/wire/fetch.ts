import { IzoError } from '../model/errors.js';
import { FetchFailed, ProtocolError } from './errors.js';
import { chunkCost, type WireLimits } from './wire-limits.js';

/** What a fetch needs of its connection. */
export interface FetchControl {
  readonly peer: string;
  readonly limits: WireLimits;
  /** Allows the source so many bytes more. */
  grant(bytes: number): void;
  /** Tells the source to stop. */
  stop(): void;
}

interface Waiter {
  resolve(result: IteratorResult<Buffer, undefined>): void;
  reject(error: Error): void;
}

/**
 * The sink of a bulk transfer. Iterate over it once, to the end: it throws where the transfer was not complete, so a
 * loop that ends has seen everything. Leaving the loop early, or `abandon`, tells the source to stop. What is not taken
 * stays with the source, but for one window.
 */
export class Fetch implements AsyncIterableIterator<Buffer, undefined> {
  readonly #control: FetchControl;
  readonly #chunks: Buffer[] = [];
  #waiter: Waiter | undefined;
  /** What the source may still send. */
  #credit: number;
  /** Taken by the consumer and not granted again yet. */
  #taken = 0;
  #trailer: Buffer | undefined;
  #error: Error | undefined;

  constructor(control: FetchControl) {
    this.#control = control;
    this.#credit = control.limits.windowBytes;
  }

  /** What came with the end of the transfer. Only after the iteration has ended. */
  get trailer(): Buffer {
    if (this.#trailer === undefined || this.#chunks.length > 0) {
      throw new IzoError('fetch-incomplete', 'the transfer has not ended');
    }
    return this.#trailer;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#took(chunk.length);
      return { done: false, value: chunk };
    }
    if (this.#error !== undefined) throw this.#error;
    if (this.#trailer !== undefined) return { done: true, value: undefined };
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** The end of a `for await` that was left early. */
  return(): Promise<IteratorResult<Buffer, undefined>> {
    this.abandon();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Stops the transfer, if it still goes on. */
  abandon(): void {
    if (this.#ended) return;
    this.#control.stop();
    this.lose(new IzoError('fetch-abandoned', 'the transfer was abandoned'));
  }

  /** A DAT packet has come. Called by the connection. */
  accept(chunk: Buffer): void {
    this.#credit -= chunkCost(chunk.length);
    if (this.#credit < 0) throw new ProtocolError('a source sends more than it was allowed to');
    if (this.#ended) return;
    const waiter = this.#waiter;
    if (waiter === undefined) {
      this.#chunks.push(chunk);
      return;
    }
    this.#waiter = undefined;
    this.#took(chunk.length);
    waiter.resolve({ done: false, value: chunk });
  }

  /** The final packet has come. Called by the connection. */
  finish(code: number, payload: Buffer): void {
    if (this.#ended) return;
    if (code !== 0) {
      this.lose(new FetchFailed(this.#control.peer, code, payload));
      return;
    }
    this.#trailer = payload;
    this.#waiter?.resolve({ done: true, value: undefined });
    this.#waiter = undefined;
  }

  /** There will be no end. Called by the connection. */
  lose(error: Error): void {
    if (this.#ended) return;
    this.#error = error;
    this.#chunks.length = 0;
    this.#waiter?.reject(error);
    this.#waiter = undefined;
  }

  get #ended(): boolean {
    return this.#error !== undefined || this.#trailer !== undefined;
  }

  /** Grants what was taken, not for every chunk but a quarter of the window at a time. */
  #took(length: number): void {
    this.#taken += chunkCost(length);
    if (this.#ended || this.#taken * 4 < this.#control.limits.windowBytes) return;
    this.#credit += this.#taken;
    this.#control.grant(this.#taken);
    this.#taken = 0;
  }
}
