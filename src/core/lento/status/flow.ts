import type { Fault } from '../../model/fault.js';
import { displayBytes } from '../../model/names.js';
import type { Range } from '../../model/records.js';
import { errnoName } from '../../system/errno.js';
import { FetchFailed } from '../../wire/errors.js';
import { errorText } from '../error-text.js';
import type { Direction, Lag, StuckStatus, TransferStatus } from './fileset-status.js';

/** A rate is of what came in the last one or two of these. */
const WINDOW_MS = 2_000;

interface Mark {
  readonly time: number;
  readonly bytes: number;
}

/** Contents on their way. What of them is there is counted by whoever moves them, a chunk at a time. */
export class Transfer {
  /** All before this offset is there. */
  #position = 0;
  #bytes = 0;
  #older: Mark = { time: performance.now(), bytes: 0 };
  #newer = this.#older;

  constructor(
    private readonly direction: Direction,
    private readonly path: string,
    /** The parts of the file that are to come. */
    private readonly ranges: readonly Range[],
  ) {}

  /** @param bytes that came now; what is passed over, as it was there before or is a hole, is none of them */
  reached(position: number, bytes: number): void {
    this.#position = position;
    this.#bytes += bytes;
    const time = performance.now();
    if (time - this.#newer.time < WINDOW_MS) return;
    this.#older = this.#newer;
    this.#newer = { time, bytes: this.#bytes };
  }

  get status(): TransferStatus {
    let bytes = 0;
    let size = 0;
    for (const { offset, length } of this.ranges) {
      size += length;
      bytes += Math.min(length, Math.max(0, this.#position - offset));
    }
    const { time, bytes: before } = this.#older;
    const seconds = Math.max(0.001, (performance.now() - time) / 1000);
    const rate = Math.round((this.#bytes - before) / seconds);
    return { direction: this.direction, path: displayBytes(this.path), bytes, size, rate };
  }
}

/** What passes between this host and a peer, and what does not; it outlives connections, for these come and go meanwhile. */
export class Flow {
  readonly #transfers = new Set<Transfer>();
  readonly #stuck = new Map<Direction, Fault & { readonly since: Date }>();

  /** Shows a transfer as long as `move` lasts. */
  async during<Result>(
    direction: Direction,
    { path, ranges }: { readonly path: string; readonly ranges: readonly Range[] },
    move: (transfer: Transfer) => Promise<Result>,
  ): Promise<Result> {
    const transfer = new Transfer(direction, path, ranges);
    this.#transfers.add(transfer);
    try {
      return await move(transfer);
    } finally {
      this.#transfers.delete(transfer);
    }
  }

  /** Records do not pass, for that reason. The same one again has been there since it came first. */
  stuck(direction: Direction, fault: Fault): void {
    const old = this.#stuck.get(direction);
    const isSame =
      old?.path === fault.path && old.operation === fault.operation && old.errno === fault.errno;
    if (!isSame) this.#stuck.set(direction, { ...fault, since: new Date() });
  }

  /** Something has failed; where contents from the peer were not to be had for it, that is what is stuck. */
  failed(error: unknown): void {
    if (error instanceof FetchStuck) this.stuck('from', error.fault);
  }

  /** Records have passed. */
  passed(direction: Direction): void {
    this.#stuck.delete(direction);
  }

  /** Why records do not pass; undefined where they do. */
  fault(direction: Direction): Fault | undefined {
    return this.#stuck.get(direction);
  }

  get transfers(): readonly TransferStatus[] {
    return [...this.#transfers].map(({ status }) => status);
  }

  /** @param lag of the peer: where it has everything, a merge has made void what it could not take */
  stuckAt(lag: Lag | undefined): readonly StuckStatus[] {
    if (lag?.records === 0) this.passed('to');
    return [...this.#stuck].map(([direction, { path, operation, errno, since }]) => ({
      direction,
      path: displayBytes(path),
      operation: displayBytes(operation),
      errno: displayBytes(errno),
      since: since.toISOString(),
    }));
  }
}

/** Contents could not be fetched. */
export class FetchStuck extends Error {
  override readonly name = 'FetchStuck';
  readonly fault: Fault;

  constructor(path: string, errno: string, cause: unknown) {
    super(`fetch of ${displayBytes(path)}: ${errorText(cause)}`, { cause });
    this.fault = { path, operation: 'fetch', errno };
  }

  /** The same error, unless it has an error number: with that it is about the path. */
  static from(path: string, error: unknown): unknown {
    const errno = error instanceof FetchFailed ? errnoName(error.reply) : errnoOf(error);
    return errno === undefined ? error : new FetchStuck(path, errno, error);
  }
}

/** The name of the error number that an operation of the system ended with; undefined for errors of other kinds. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
