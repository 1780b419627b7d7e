import type { Socket } from 'node:net';
import { CODE_BYTES, encodeHeader, HEADER_BYTES, type PacketHead } from './packet.js';

/** Payloads up to this are copied behind their header: cheaper than handing two buffers to the kernel. */
const COPY_BYTES = 4096;

export type Written = (error?: Error | null) => void;

export interface Outgoing extends PacketHead {
  /** Final packets carry it in front of the payload. */
  readonly code?: number;
  readonly payload: Buffer;
}

/**
 * Sends packets. Everything said in one turn of the event loop leaves in one write, and large payloads are not copied.
 * Bulk data waits for its turn (`whenWritable`) so that never more than one chunk is queued before a small packet.
 */
export class PacketWriter {
  readonly #socket: Socket;
  readonly #sendBytes: number;
  readonly #onOverflow: () => void;
  readonly #waiting: (() => void)[] = [];
  #corked = false;
  #closed = false;

  /** @param onOverflow called when more than `sendBytes` wait to be sent. */
  constructor(socket: Socket, sendBytes: number, onOverflow: () => void) {
    this.#socket = socket;
    this.#sendBytes = sendBytes;
    this.#onOverflow = onOverflow;
    socket.on('drain', () => {
      while (this.#waiting.length > 0 && !socket.writableNeedDrain) this.#waiting.shift()?.();
    });
  }

  /** @param written called when the kernel has taken the packet, or with an error when it never will. */
  send(packet: Outgoing, written?: Written): void {
    if (this.#closed) {
      written?.(new Error('closed'));
      return;
    }
    this.#cork();
    const codeBytes = packet.code === undefined ? 0 : CODE_BYTES;
    const { payload } = packet;
    const copied = payload.length <= COPY_BYTES ? payload.length : 0;
    const head = encodeHeader(packet, codeBytes + payload.length, codeBytes + copied);
    if (packet.code !== undefined) head.writeInt32LE(packet.code, HEADER_BYTES);
    if (copied > 0) payload.copy(head, HEADER_BYTES + codeBytes);
    if (copied === payload.length) {
      this.#socket.write(head, written);
    } else {
      this.#socket.write(head);
      this.#socket.write(payload, written);
    }
    if (this.#socket.writableLength > this.#sendBytes) this.#onOverflow();
  }

  /** Calls `send`, now or later, when what was written before has left. First come, first served. */
  whenWritable(send: () => void): void {
    if (this.#closed || (this.#waiting.length === 0 && !this.#socket.writableNeedDrain)) send();
    else this.#waiting.push(send);
  }

  /** From now on nothing is sent; those who wait are called, so that they find out. */
  close(): void {
    this.#closed = true;
    for (const waiting of this.#waiting.splice(0)) waiting();
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }
}
