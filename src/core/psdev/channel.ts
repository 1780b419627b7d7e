import type { Socket } from 'node:net';
import { encodeFrame, FrameDecoder, type Frame } from './frames.js';

/** The other end is gone, or ended the conversation. */
export class ChannelClosed extends Error {
  constructor(what: string) {
    super(`the local socket was closed while ${what}`);
    this.name = 'ChannelClosed';
  }
}

/** The other end answered a request with an error. */
export class ChannelRefusal extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'ChannelRefusal';
  }
}

export type Handler = (
  kind: string,
  frame: Frame,
) => Promise<Record<string, unknown>> | Record<string, unknown>;

/**
 * Requests, their replies, and notices over a local socket, both ways. Requests of one end are handled by the other in
 * their order, one at a time: the order of downcalls is part of their meaning.
 */
export class Channel {
  readonly closed: Promise<void>;
  readonly #waiting = new Map<
    number,
    { kind: string; resolve: (frame: Frame) => void; reject: (error: Error) => void }
  >();
  readonly #decoder = new FrameDecoder();
  readonly #queue: Frame[] = [];
  #handling = false;
  #nextId = 1;
  #open = true;

  constructor(
    private readonly socket: Socket,
    private readonly handler: Handler,
    private readonly onNotice: (kind: string, frame: Frame) => void = () => undefined,
  ) {
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    // What went wrong with the socket shows in 'close', which follows.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#failAll());
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Bytes that the other end has not taken yet. */
  get backlog(): number {
    return this.socket.writableLength;
  }

  notify(kind: string, head: Record<string, unknown> = {}): void {
    this.#send({ ...head, kind });
  }

  /** @throws ChannelClosed, ChannelRefusal */
  request(kind: string, head: Record<string, unknown> = {}, data: Buffer[] = []): Promise<Frame> {
    if (!this.#open) return Promise.reject(new ChannelClosed(`asking ${kind}`));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { kind, resolve, reject });
      this.#send({ ...head, kind, id }, data);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  /** Lets what was sent arrive, then closes. */
  end(): void {
    this.socket.end();
  }

  #send(head: Record<string, unknown>, data: Buffer[] = []): void {
    if (!this.#open) return;
    this.socket.cork();
    for (const part of encodeFrame(head, data)) this.socket.write(part);
    this.socket.uncork();
  }

  #received(chunk: Buffer): void {
    try {
      for (const frame of this.#decoder.push(chunk)) this.#dispatch(frame);
    } catch (error) {
      this.socket.destroy(error instanceof Error ? error : undefined);
    }
  }

  #dispatch(frame: Frame): void {
    const { kind, id, re } = frame.head;
    if (typeof re === 'number') {
      const waiting = this.#waiting.get(re);
      this.#waiting.delete(re);
      const { error, message } = frame.head;
      if (typeof error === 'string') {
        waiting?.reject(new ChannelRefusal(error, typeof message === 'string' ? message : error));
      } else waiting?.resolve(frame);
    } else if (typeof kind === 'string' && typeof id === 'number') {
      this.#queue.push(frame);
      void this.#handleQueue();
    } else if (typeof kind === 'string') this.onNotice(kind, frame);
  }

  async #handleQueue(): Promise<void> {
    if (this.#handling) return;
    this.#handling = true;
    for (let frame = this.#queue.shift(); frame !== undefined; frame = this.#queue.shift()) {
      const { id } = frame.head;
      try {
        const reply = await this.handler(String(frame.head['kind']), frame);
        this.#send({ ...reply, re: id });
      } catch (error) {
        const code = (error as { code?: unknown }).code;
        this.#send({
          re: id,
          error: typeof code === 'string' ? code : 'failed',
          message: error instanceof Error ? error.message : String(error),
        });
      }
    }
    this.#handling = false;
  }

  #failAll(): void {
    this.#open = false;
    // Who asked is gone; done now, in a world that goes on without him, it might be wrong.
    this.#queue.length = 0;
    for (const { kind, reject } of this.#waiting.values()) {
      reject(new ChannelClosed(`waiting for the answer to ${kind}`));
    }
    this.#waiting.clear();
  }
}
