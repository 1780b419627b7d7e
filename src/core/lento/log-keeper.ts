import type { DecodedRecord } from '../journal/index.js';
import { IzoError } from '../model/errors.js';
import type { Recno } from '../model/ids.js';
import { LIMITS } from '../model/limits.js';
import { isoOf } from '../model/times.js';
import {
  acknowledgedByAll,
  backlogKept,
  givenUp,
  historyKept,
  type LogLimits,
} from '../replication/log-keeping.js';
import { must } from '../system/errno.js';
import { freeBytes, totalBytes } from '../system/files.js';
import { errorText } from './error-text.js';
import type { Lag, LogStatus } from './status/fileset-status.js';
import type { LentoLog } from './log.js';
import type { Replica } from './replica.js';

export interface LogKeeperOptions {
  readonly replica: Replica;
  /** The hosts that are to get this log: at the server its replicators, at a replicator its server. */
  readonly receivers: () => readonly string[];
  readonly limits: () => LogLimits;
  /** A receiver that lags too far is given up: the server does so, a replicator never. */
  readonly givesUp: boolean;
  readonly log: LentoLog;
}

/** Has this host's log trimmed, as far as those who get it have it; presto does it. */
export class LogKeeper {
  /** What each receiver expects next, since lento knows of it. */
  readonly #next = new Map<string, Recno>();
  readonly #told = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #trimming: Promise<void> | undefined;
  #error: string | undefined;

  constructor(private readonly options: LogKeeperOptions) {
    this.#timer = setInterval(() => this.look(), LIMITS.trimEveryMs).unref();
  }

  /** The receiver has everything before `next`; also where it had more before, and a power cut has set it back. */
  acknowledged(receiver: string, next: Recno): void {
    this.#next.set(receiver, next);
    this.#told.delete(receiver);
  }

  /** Trims what can be trimmed, unless that is being done already. */
  look(): void {
    this.#trimming ??= this.#trim()
      .catch((error: unknown) => this.#failed(errorText(error)))
      .finally(() => (this.#trimming = undefined));
  }

  async #trim(): Promise<void> {
    const { replica } = this.options;
    const { bytes } = replica.reader;
    if (bytes <= LIMITS.logLeastBytes) return;
    const { history, backlog } = this.#kept();
    if (bytes < Math.min(history, backlog) + LIMITS.trimStepBytes) return;
    const acknowledged = acknowledgedByAll(this.options.receivers(), this.#next, replica.end);
    const first = await replica.trim(acknowledged, history, backlog);
    this.#error = undefined;
    this.#tell(first);
  }

  #kept(): { history: number; backlog: number } {
    const { replica, limits, givesUp } = this.options;
    const cache = {
      totalBytes: must('statvfs', totalBytes(replica.lowerFd)),
      freeBytes: must('statvfs', freeBytes(replica.lowerFd)),
    };
    const backlog = backlogKept(limits(), cache);
    return { history: historyKept(limits(), cache), backlog: givesUp ? backlog : Infinity };
  }

  #tell(first: Recno): void {
    const { replica, receivers, log } = this.options;
    for (const peer of givenUp(receivers(), this.#next, first)) {
      if (this.#told.has(peer)) continue;
      this.#told.add(peer);
      const message = `${peer} is given up: more than the backlog of ${replica.fileset} waited for it`;
      log.error({ fileset: replica.fileset, peer }, message);
    }
  }

  /** Said once: it is tried again all the time. */
  #failed(reason: string): void {
    if (reason === this.#error) return;
    this.#error = reason;
    const { replica, log } = this.options;
    log.warn({ fileset: replica.fileset }, `the log is not trimmed: ${reason}`);
  }

  /** What is to be said of a receiver that is given up; undefined for any other. */
  verdict(receiver: string): string | undefined {
    const { firstRecno: first } = this.options.replica.reader.header;
    return givenUp([receiver], this.#next, first).length === 0
      ? undefined
      : `given up: it lacks records that were trimmed (the log begins with ${first}; see backlog in fsetdb), and takes the whole tree when it is connected`;
  }

  /**
   * What the receiver does not have; undefined where it was never heard of.
   * @param next what it expects next, where that is known better
   * @throws IzoError where the log cannot be read
   */
  lag(receiver: string, next = this.#next.get(receiver)): Lag | undefined {
    if (next === undefined) return undefined;
    const { reader, end } = this.options.replica;
    if (next > end) return { records: 0, bytes: 0, since: undefined };
    // Looks at the log first: it may have been trimmed since it was read last.
    const bytes = reader.bytesFrom(next);
    const oldest = this.#firstFrom(next);
    const since = oldest === undefined ? undefined : isoOf(oldest.record.head.time);
    return { records: end + 1 - next, bytes, since };
  }

  /** The first record from `next` on that there is; presto may trim the log between any two looks at it. */
  #firstFrom(next: Recno): DecodedRecord | undefined {
    const { reader, end } = this.options.replica;
    for (;;) {
      const from = Math.max(next, reader.header.firstRecno);
      try {
        return reader.read(from, { records: 1, bytes: LIMITS.recordBytes }, end).records[0];
      } catch (error) {
        const isTrimmed = error instanceof IzoError && error.code === 'journal-trimmed';
        if (!isTrimmed || reader.header.firstRecno <= from) throw error;
      }
    }
  }

  /** @throws IzoError where the log cannot be read */
  status(): LogStatus {
    const { replica, receivers, givesUp, limits } = this.options;
    const { reader } = replica;
    const hosts = receivers();
    const total = Math.max(0, totalBytes(replica.lowerFd));
    const acknowledged = acknowledgedByAll(hosts, this.#next, replica.end);
    return {
      bytes: reader.bytes,
      first: reader.header.firstRecno,
      waiting: reader.bytesFrom(acknowledged + 1),
      backlog: backlogKept(limits(), { totalBytes: total, freeBytes: total }),
      givesUp,
      givenUp: givenUp(hosts, this.#next, reader.header.firstRecno),
      error: this.#error,
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
