import { PARK, type NodeId } from '../../fuse/port.js';
import type { RequestWatcher, SeenRequest } from '../../fuse/watcher.js';
import type { TraceEvent, WaitReason } from '../../psdev/trace.js';
import { processOf } from '../../system/credentials.js';
import { errnoName } from '../../system/errno.js';
import { childPath, pathOf } from '../tree/node.js';
import type { NodeTable } from '../tree/node-table.js';

/** Somebody who follows the operations. Called for each of them: must be quick, and must not throw. */
export interface TraceSink {
  /** What a thread was a moment ago is good enough: programs are not looked up for each operation. */
  readonly coarse?: true;
  take(event: TraceEvent): void;
}

type Program = Pick<TraceEvent, 'pid' | 'command'>;

/** A moment. */
const COARSE_MS = 1_000;

/** What is known of a request before it is served. */
interface Begun {
  readonly about: Pick<
    TraceEvent,
    'time' | 'operation' | 'path' | 'to' | 'pid' | 'thread' | 'command' | 'uid' | 'gid'
  >;
  readonly since: number;
  /** What it waits for, or waited for. */
  waitsFor: WaitReason | null;
  /** So long it had waited when it was served again. */
  waitedMs: number;
}

export interface TracerOptions {
  readonly table: NodeTable;
  /** Why an operation that was parked just now has to wait. */
  readonly reason: (operation: string) => WaitReason;
  /** Has requests shown to the tracer, or to nobody any more. */
  readonly watch: (watcher: RequestWatcher | undefined) => void;
}

/** Makes an event of each operation while somebody follows them; looks at none while nobody does. */
export class Tracer implements RequestWatcher {
  readonly #sinks = new Set<TraceSink>();
  readonly #waiting = new Map<number, Begun>();
  #current: Begun | undefined;
  #id = 0;
  /** Sinks that want to know exactly who asked. */
  #exact = 0;
  /** The programs of threads, while that is good enough for all, and since when. */
  readonly #programs = new Map<number, Program>();
  #programsSince = 0;
  /** Milliseconds since 1970 where performance.now() is 0: one for all, so that events are in their order. */
  #epoch = 0;

  constructor(private readonly options: TracerOptions) {}

  /** Not from inside an operation. @returns what ends it */
  add(sink: TraceSink): () => void {
    this.#sinks.add(sink);
    if (sink.coarse !== true) this.#exact++;
    // Anew for each: it sees what waits already; others know that.
    const known = [...this.#waiting.values()];
    for (const begun of known) sink.take(waits(begun));
    if (this.#sinks.size === 1) {
      this.#epoch = Date.now() - performance.now();
      this.options.watch(this);
    }
    return () => {
      if (!this.#sinks.delete(sink)) return;
      if (sink.coarse !== true) this.#exact--;
      if (this.#sinks.size > 0) return;
      this.options.watch(undefined);
      this.#waiting.clear();
    };
  }

  begin(seen: SeenRequest): void {
    const known = this.#waiting.get(seen.id);
    if (known !== undefined) known.waitedMs = performance.now() - known.since;
    this.#id = seen.id;
    this.#current = known ?? this.#begin(seen);
  }

  #begin(seen: SeenRequest): Begun {
    const { operation, thread, uid, gid, since } = seen;
    const { pid, command } = this.#program(thread, since);
    const time = this.#epoch + since;
    const path = this.#path(seen.path, seen.node, seen.name);
    const to = this.#path(seen.toPath, seen.toNode, seen.toName);
    const about = { time, operation, path, to, pid, thread, command, uid, gid };
    return { about, since, waitsFor: null, waitedMs: 0 };
  }

  /** Programs change their names, and numbers are used again. */
  #program(thread: number, now: number): Program {
    if (this.#exact > 0 || now - this.#programsSince > COARSE_MS) {
      this.#programs.clear();
      this.#programsSince = now;
    }
    const known = this.#programs.get(thread);
    if (known !== undefined) return known;
    const found = processOf(thread) ?? { pid: thread, command: '' };
    this.#programs.set(thread, found);
    return found;
  }

  #path(path: string | undefined, id: NodeId, name: string | undefined): string | null {
    if (path !== undefined) return path;
    const node = id === 0 ? undefined : this.options.table.get(id);
    if (node === undefined) return null;
    return (name === undefined ? pathOf(node) : childPath(node, name)) ?? null;
  }

  end(result: number, bytes: number, byKernel: boolean): void {
    const begun = this.#current;
    if (begun === undefined) return;
    this.#current = undefined;
    if (result !== PARK) {
      this.#waiting.delete(this.#id);
      this.#tell(done(begun, result, bytes, byKernel));
    } else if (begun.waitsFor === null) {
      begun.waitsFor = this.options.reason(begun.about.operation);
      this.#waiting.set(this.#id, begun);
      this.#tell(waits(begun));
    }
  }

  dropped(id: number, result: number): void {
    const begun = this.#waiting.get(id);
    if (begun === undefined) return;
    this.#waiting.delete(id);
    begun.waitedMs = performance.now() - begun.since;
    this.#tell(done(begun, result, 0, false));
  }

  #tell(event: TraceEvent): void {
    for (const sink of this.#sinks) sink.take(event);
  }
}

function waits(begun: Begun): TraceEvent {
  const ms = performance.now() - begun.since;
  const nothing = { error: null, bytes: 0, byKernel: false };
  return {
    ...begun.about,
    state: 'waits',
    waitedFor: begun.waitsFor,
    waitedMs: ms,
    ms,
    ...nothing,
  };
}

function done(begun: Begun, result: number, bytes: number, byKernel: boolean): TraceEvent {
  return {
    ...begun.about,
    state: 'done',
    waitedFor: begun.waitsFor,
    waitedMs: begun.waitedMs,
    ms: performance.now() - begun.since,
    error: result < 0 ? errnoName(result) : null,
    bytes,
    byKernel,
  };
}
