import { E, errnoName } from '../../system/errno.js';
import { readRequest, whenReadable, writeAnswer } from '../../system/fuse-device.js';
import { PARK, type FuseOperations } from '../port.js';
import { Handlers, NO_ANSWER } from './handlers.js';
import { answerInit } from './init.js';
import { Parking } from './parking.js';
import { Op } from './protocol.js';
import { Reply } from './reply.js';
import { Request } from './request.js';

export type SessionLog = (level: 'info' | 'warn' | 'error', message: string) => void;

/** Requests answered in one turn of the event loop, before sockets and timers get theirs. */
const REQUESTS_PER_TURN = 256;
const TURN_MS = 5;

/**
 * Serves one mount: waits until the device can be read, then answers requests one after the other until there are none.
 * One at a time: the order in which they are answered is the order of updates.
 */
export class Session {
  readonly #request = new Request();
  readonly #reply = new Reply();
  readonly #handlers: Handlers;
  readonly #parking = new Parking();
  #stopWaiting: (() => void) | undefined;
  #answering = false;
  #resumeAsked = false;
  #turnPlanned = false;
  #ended = false;

  constructor(
    private readonly fd: number,
    operations: FuseOperations,
    private readonly log: SessionLog,
    /** The kernel has shaken hands; or why that failed. */
    private readonly onReady: (error?: Error) => void,
    private readonly onUnmounted: () => void,
  ) {
    this.#handlers = new Handlers(this.#request, this.#reply, operations);
  }

  get parked(): number {
    return this.#parking.count;
  }

  start(): void {
    this.#stopWaiting = whenReadable(this.fd, () => this.#turn());
  }

  /** Answers what is there, but not for ever. */
  #turn(): void {
    if (this.#ended || this.#answering) return;
    const end = performance.now() + TURN_MS;
    for (let n = 0; n < REQUESTS_PER_TURN; n++) {
      if (this.#parking.full || !this.#next()) return;
      if ((n & 15) === 15 && performance.now() > end) break;
    }
    this.#planTurn();
  }

  /** Readiness may have been used up by the callback that led here, so the rest is not left to it. */
  #planTurn(): void {
    if (this.#turnPlanned || this.#ended) return;
    this.#turnPlanned = true;
    setImmediate(() => {
      this.#turnPlanned = false;
      this.#turn();
    });
  }

  /** Reads and answers one request. @returns false where there is none. */
  #next(): boolean {
    const { memory } = this.#request;
    const length = readRequest(this.fd, memory.address, memory.length);
    if (length >= 0) {
      this.#answer();
      return true;
    }
    switch (-length) {
      case E.EAGAIN:
        return false;
      case E.ENOENT:
      case E.EINTR:
        // It was interrupted before we got to it; there may be another.
        return true;
      case E.ENODEV:
        this.#end();
        return false;
      default:
        this.log('error', `reading from /dev/fuse: ${errnoName(length)}`);
        this.#end();
        return false;
    }
  }

  #answer(): void {
    const { opcode } = this.#request;
    switch (opcode) {
      case Op.INIT:
        this.#init();
        return;
      case Op.INTERRUPT:
        this.#interrupt();
        return;
      case Op.DESTROY:
        this.#send(0, 0);
        return;
      default:
        this.#dispatch(opcode);
    }
  }

  #dispatch(opcode: number): void {
    const handler = this.#handlers.table[opcode];
    let result: number;
    this.#answering = true;
    try {
      result = handler === undefined ? Handlers.unknown : handler();
    } catch (error) {
      this.log('error', error instanceof Error ? (error.stack ?? error.message) : String(error));
      result = opcode === Op.FORGET || opcode === Op.BATCH_FORGET ? NO_ANSWER : -E.EIO;
    }
    this.#answering = false;
    if (result === PARK) this.#park();
    else if (result !== NO_ANSWER) this.#finish(opcode, result);
    if (this.#resumeAsked) this.resumeParked();
  }

  #finish(opcode: number, result: number): void {
    const sent = result < 0 ? this.#send(result, 0) : this.#send(0, result);
    if (sent >= 0 || result < 0) return;
    // The asker was killed while we worked.
    if (sent === -E.ENOENT) this.#handlers.undo(opcode);
    else if (sent !== -E.ENODEV)
      this.log('error', `answering opcode ${opcode}: ${errnoName(sent)}`);
  }

  #send(error: number, bodyBytes: number): number {
    const { uniqueLow, uniqueHigh } = this.#request;
    const length = this.#reply.header(uniqueLow, uniqueHigh, error, bodyBytes);
    return writeAnswer(this.fd, this.#reply.memory.address, length);
  }

  #init(): void {
    const result = answerInit(this.#request, this.#reply);
    if (typeof result === 'string') {
      this.#send(-E.EPROTO, 0);
      this.onReady(new Error(result));
      return;
    }
    this.#send(0, result);
    this.onReady();
  }

  #park(): void {
    const { memory, length, uniqueLow, uniqueHigh } = this.#request;
    const bytes = Buffer.from(memory.buffer.subarray(0, length));
    this.#parking.add({ bytes, uniqueLow, uniqueHigh });
  }

  /** A signal for a process whose request is parked: it gets EINTR. Requests being answered are answered anyway. */
  #interrupt(): void {
    const parked = this.#parking.take(this.#request.u32(0), this.#request.u32(1));
    if (parked === undefined) return;
    const length = this.#reply.header(parked.uniqueLow, parked.uniqueHigh, -E.EINTR, 0);
    writeAnswer(this.fd, this.#reply.memory.address, length);
    this.#planTurn();
  }

  /** Presents parked requests again, oldest first. Within an operation: after it. */
  resumeParked(): void {
    if (this.#answering) {
      this.#resumeAsked = true;
      return;
    }
    this.#resumeAsked = false;
    if (this.#ended) return;
    for (const { bytes } of this.#parking.takeAll()) {
      bytes.copy(this.#request.memory.buffer);
      this.#dispatch(this.#request.opcode);
    }
    this.#planTurn();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopWaiting?.();
    this.#parking.takeAll();
    this.onUnmounted();
  }
}
