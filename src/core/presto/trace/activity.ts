import type { ActivityCounts, Counts } from '../../psdev/activity.js';
import type { TraceEvent } from '../../psdev/trace.js';
import { Latencies } from './latencies.js';
import type { TraceSink } from './tracer.js';

/** Processes that are told, and those that are counted at the most: of more than that some are not. */
const TOLD = 20;
const COUNTED = 1_000;

const READING = new Set(['read']);

/** Whoever asks whether there is such a name or attribute, as every search in a PATH does, has been told that there is none. */
function isAnswer(operation: string, error: string): boolean {
  if (operation === 'lookup') return error === 'ENOENT';
  return operation === 'getxattr' && (error === 'ENODATA' || error === 'EOPNOTSUPP');
}

class Tally {
  operations = 0;
  errors = 0;
  written = 0;
  read = 0;
  readonly #latencies = new Latencies();

  add({ operation, bytes, ms, error }: TraceEvent): void {
    this.operations++;
    if (error !== null && !isAnswer(operation, error)) this.errors++;
    if (READING.has(operation)) this.read += bytes;
    else this.written += bytes;
    this.#latencies.add(ms);
  }

  get counts(): Counts {
    const { operations, errors, written, read } = this;
    const [p50, p95] = [this.#latencies.percentile(0.5), this.#latencies.percentile(0.95)];
    return { operations, errors, written, read, p50, p95 };
  }

  clear(): void {
    this.operations = this.errors = this.written = this.read = 0;
    this.#latencies.clear();
  }
}

/** What one process has asked for. */
class Share {
  operations = 0;
  written = 0;
  read = 0;

  constructor(
    readonly pid: number,
    readonly command: string,
    readonly uid: number,
  ) {}
}

/** Counts what is done, for whoever asks now and then. Its size does not depend on how much that is. */
export class Activity implements TraceSink {
  readonly coarse = true;
  readonly #all = new Tally();
  readonly #kinds = new Map<string, Tally>();
  readonly #processes = new Map<number, Share>();
  #since = performance.now();

  take(event: TraceEvent): void {
    if (event.state === 'waits') return;
    this.#all.add(event);
    let kind = this.#kinds.get(event.operation);
    if (kind === undefined) this.#kinds.set(event.operation, (kind = new Tally()));
    kind.add(event);
    // What the kernel does by itself nobody asks for.
    if (event.pid > 0) this.#share(event);
  }

  #share({ pid, command, uid, operation, bytes }: TraceEvent): void {
    let share = this.#processes.get(pid);
    if (share === undefined) {
      if (this.#processes.size >= COUNTED) return;
      this.#processes.set(pid, (share = new Share(pid, command, uid)));
    }
    share.operations++;
    if (READING.has(operation)) share.read += bytes;
    else share.written += bytes;
  }

  /** What was done since it was asked the last time; from now on it counts anew. */
  report(): ActivityCounts {
    const now = performance.now();
    const ms = now - this.#since;
    const kinds = [...this.#kinds].map(([operation, tally]) => ({ operation, ...tally.counts }));
    const processes = [...this.#processes.values()];
    const most = (a: { operations: number }, b: { operations: number }): number =>
      b.operations - a.operations;
    const report = {
      ms,
      all: this.#all.counts,
      kinds: kinds.filter(({ operations }) => operations > 0).sort(most),
      processes: processes.sort(most).slice(0, TOLD),
    };
    this.#since = now;
    this.#all.clear();
    for (const tally of this.#kinds.values()) tally.clear();
    this.#processes.clear();
    return report;
  }
}
