import { E, errnoName, ESTALE } from '../../system/errno.js';
import { IzoError } from '../../model/errors.js';
import { readDevice, writeDevice } from '../../system/mounting.js';
import { PARK, type FuseOperations, type NodeId } from '../port.js';
import type { RequestWatcher } from '../watcher.js';
import { Exchange } from './exchange.js';
import { shakeHands } from './init.js';
import { TURN_MS, TURN_REQUESTS } from './limits.js';
import { joinProcessorOf } from '../../system/processor.js';
import type { Log } from '../log.js';
import { Lingering } from './lingering.js';
import type { Operation } from './operation.js';
import { OPERATIONS } from './operation-table.js';
import { Parking } from './parking.js';
import { FuseOpcode, InterruptIn, OLDEST_MINOR_VERSION } from './protocol.js';
import { isRenaming } from './renaming.js';
import { isAskedToEnd } from './signals.js';
import { Watching } from './watching.js';

/** How often it is looked whether a program that waits has got a signal by which it is to end. */
const SIGNALS_MS = 250;

/** A FORGET that the kernel has to send is among so many requests, whatever else it has. */
const FORGET_AFTER = 16;

/** What the session tells its owner. */
export interface SessionEvents {
  /** The kernel has our terms: the mount answers from now on. */
  ready(): void;
  refused(error: Error): void;
  attributesChanged(node: NodeId): void;
  /** The kernel may take the name for something else than it is. */
  entryStale(parent: NodeId, name: string): void;
  /** Whether the kernel may not know yet that a name means something else. */
  isUntold(parent: NodeId, name: string): boolean;
  /** Parked requests were answered or dropped. */
  parkedChanged(): void;
}

/** Why a turn ended: nothing to read now; its time is up; parking is full; the mount is gone. */
export type TurnEnd = 'drained' | 'more' | 'full' | 'gone';

/**
 * The conversation with the kernel over one descriptor of /dev/fuse: reads a request, has it served, answers. One
 * request at a time, so its order of service is the total order of all updates.
 */
export class Session {
  readonly parking = new Parking();
  /** The kernel passes files through where we tell it to. */
  passthrough = false;
  readonly #exchange: Exchange;
  readonly #lingering = new Lingering({
    approach: () => joinProcessorOf(this.#exchange.request.thread),
  });
  #busy = false;
  #resumeWanted = false;
  /** Requests are parked that had no room on the disk, until so many others have been read, or all that there are. */
  #roomAfter = 0;
  /** Threads that were told to look their names up again. */
  readonly #sentBack = new Set<number>();
  /** Parked requests whose programs have got a signal that does not end them. */
  readonly #signalled = new Set<number>();
  #watch: NodeJS.Timeout | undefined;
  /** While somebody wants to see the requests. */
  #watching: Watching | undefined;

  constructor(
    private readonly fd: number,
    operations: FuseOperations,
    private readonly events: SessionEvents,
    private readonly log: Log,
  ) {
    this.#exchange = new Exchange(operations, (node) => {
      events.attributesChanged(node);
    });
  }

  /** See FuseBinding. */
  get contested(): boolean {
    return this.parking.size > 0 || isRenaming(this.#exchange.request.thread);
  }

  /** Serves what the kernel has, for a bounded time. */
  turn(): TurnEnd {
    const { request } = this.#exchange;
    const end = performance.now() + TURN_MS;
    let served = 0;
    while (served < TURN_REQUESTS && performance.now() < end) {
      if (this.parking.full && !this.#seekRoom()) return 'full';
      const length = readDevice(this.fd, request.address, request.capacity);
      if (length >= 0) {
        served++;
        this.#lingering.arrived();
        if (request.begin(length)) this.#serve();
        else this.log('error', `the kernel sent ${length} bytes that are no request`);
        if (this.#roomAfter === 1) this.#seekRoom();
        else if (this.#roomAfter > 1) this.#roomAfter--;
      } else if (length === -E.EAGAIN) {
        if (!this.#seekRoom() && !this.#lingering.again()) return 'drained';
      } else if (length !== -E.EINTR && length !== -E.ENOENT) {
        // ENOENT: the request was interrupted before it could be read. ENODEV: unmounted.
        if (length !== -E.ENODEV && length !== -E.ECONNABORTED) {
          this.log('error', `/dev/fuse cannot be read any more: ${errnoName(length)}`);
        }
        return 'gone';
      }
    }
    return 'more';
  }

  /**
   * Has those served again that had no room. The kernel says in its own time that it needs a removed file no more: up to
   * eight requests that programs made afterwards come first (fuse_dev_do_read). To a program the room is there when its
   * unlink(2) is done.
   * @returns false where there is no such request
   */
  #seekRoom(): boolean {
    if (this.#roomAfter === 0) return false;
    this.#roomAfter = 0;
    this.resumeParked();
    return true;
  }

  /** See FuseBinding. */
  watch(watcher: RequestWatcher | undefined): void {
    this.#watching = undefined;
    if (watcher === undefined) return;
    const watching = new Watching(this.#exchange, watcher);
    this.parking.present((message, since) => {
      this.#exchange.request.load(message);
      watching.stillWaits(since);
      return false;
    });
    this.#watching = watching;
  }

  /** See FuseBinding. From inside an operation: done when its request is answered. */
  resumeParked(): void {
    if (this.#busy) {
      this.#resumeWanted = true;
      return;
    }
    const before = this.parking.size;
    if (before === 0) return;
    this.parking.present((message, since) => {
      this.#exchange.request.load(message);
      return this.#present(since);
    });
    if (this.parking.size !== before) this.events.parkedChanged();
    this.#afterPass();
  }

  /** Who asks for another pass during a pass gets it in a later turn: two that do so for ever must not stop the rest. */
  #afterPass(): void {
    if (!this.#resumeWanted) return;
    this.#resumeWanted = false;
    setImmediate(() => {
      this.resumeParked();
    });
  }

  /** Serves a request just read. */
  #serve(): void {
    const { request } = this.#exchange;
    switch (request.opcode) {
      case FuseOpcode.INIT:
        this.#init();
        return;
      case FuseOpcode.INTERRUPT:
        this.#interrupt(request.u64(InterruptIn.unique));
        return;
      case FuseOpcode.DESTROY:
        this.#answer(0);
        return;
    }
    if (!this.#present()) this.parking.add(request);
    if (this.#resumeWanted) {
      this.#resumeWanted = false;
      this.resumeParked();
    }
  }

  /** Has the request in the exchange served and answers it. `late`: parked since. @returns false where it parks. */
  #present(late = 0): boolean {
    const operation = OPERATIONS[this.#exchange.request.opcode];
    const watching = this.#watching;
    this.#busy = true;
    watching?.begin(late);
    let result = operation === undefined ? -E.ENOSYS : this.#runLate(operation, late > 0);
    if (late === 0 && isFull(result) && this.#exchange.operations.awaitsRoom()) {
      this.#roomAfter ||= FORGET_AFTER;
      result = PARK;
    }
    const parked = result === PARK;
    if (!parked && operation?.silent !== true) {
      const delivered = this.#answer(result);
      if (!delivered && result >= 0) this.#undo(operation?.undo);
      if (late > 0 && result >= 0) {
        operation?.names?.(this.#exchange, (parent, name) => {
          this.events.entryStale(parent, name);
        });
      }
    }
    watching?.end(result);
    this.#busy = false;
    return !parked;
  }

  /**
   * A request that was parked, and goes by a name that means something else by now, is told ESTALE: the kernel looks all of
   * its names up again and asks anew, as open(2) and rename(2) do where a file handle of NFS is stale. It does so once:
   * whoever comes back is served, whatever happened since. Not where directories are concerned: one that the kernel still
   * knows by another name cannot be found anew while a rename has its locks (__d_unalias), and the program would be told.
   */
  #runLate({ run, names }: Operation, late: boolean): number {
    if (names === undefined) return this.#run(run);
    const { thread } = this.#exchange.request;
    if (!late || this.#sentBack.has(thread)) {
      const result = this.#run(run);
      if (result !== PARK) this.#sentBack.delete(thread);
      return result;
    }
    let outdated = 0;
    let directories = 0;
    names(this.#exchange, (parent, name) => {
      if (this.events.isUntold(parent, name)) outdated++;
      if (this.#exchange.operations.isDirectory(parent, name)) directories++;
    });
    if (outdated === 0 || directories > 0) return this.#run(run);
    this.#sentBack.add(thread);
    return -ESTALE;
  }

  #run(run: Operation['run']): number {
    this.#exchange.reset();
    try {
      return run(this.#exchange);
    } catch (error) {
      this.#failed(error);
      return -E.EIO;
    }
  }

  #undo(undo: Operation['undo']): void {
    try {
      undo?.(this.#exchange);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.log('error', `request ${this.#exchange.request.opcode} failed: ${text}`);
  }

  /** `result`: the payload's length or a negated errno. @returns false where the kernel did not take it. */
  #answer(result: number): boolean {
    const { request, reply } = this.#exchange;
    const [error, payload] = result < 0 ? [result, 0] : [0, result];
    return this.#write(reply.finish(request.unique, error, payload));
  }

  #write(length: number): boolean {
    let written: number;
    do written = writeDevice(this.fd, this.#exchange.reply.address, length);
    while (written === -E.EINTR || written === -E.EAGAIN);
    if (written >= 0) return true;
    // ENOENT: nobody waits for this answer any more. ENODEV: the mount is gone, which reading will tell.
    if (written !== -E.ENOENT && written !== -E.ENODEV) {
      const { opcode } = this.#exchange.request;
      this.log(
        'error',
        `the kernel refused the answer to request ${opcode}: ${errnoName(written)}`,
      );
    }
    return false;
  }

  #init(): void {
    const { request, reply } = this.#exchange;
    const { outcome, version, passthrough, payload } = shakeHands(request, reply);
    if (outcome === 'too-old') {
      this.#answer(-E.EPROTO);
      this.events.refused(tooOld(version));
      return;
    }
    if (!this.#answer(payload) || outcome === 'again') return;
    this.passthrough = passthrough;
    const more = passthrough ? ', and reads lower files itself' : '';
    this.log('info', `the kernel speaks FUSE ${version}${more}`);
    this.events.ready();
  }

  /** FUSE_INTERRUPT: a signal for the program that waits. What is not parked is not waiting; nothing to answer then. */
  #interrupt(unique: number): void {
    const thread = this.parking.threadOf(unique);
    if (thread === undefined) return;
    if (isAskedToEnd(thread)) {
      this.#giveUp(unique);
      return;
    }
    // The kernel tells of the first signal only, so it is looked whether others come.
    this.#signalled.add(unique);
    this.#watch ??= setInterval(() => {
      this.#lookForSignals();
    }, SIGNALS_MS).unref();
  }

  #giveUp(unique: number): void {
    if (!this.parking.remove(unique)) return;
    this.#write(this.#exchange.reply.finish(unique, -E.EINTR, 0));
    this.#watching?.dropped(unique, -E.EINTR);
    this.events.parkedChanged();
  }

  #lookForSignals(): void {
    for (const unique of this.#signalled) {
      const thread = this.parking.threadOf(unique);
      if (thread !== undefined && !isAskedToEnd(thread)) continue;
      this.#signalled.delete(unique);
      if (thread !== undefined) this.#giveUp(unique);
    }
    if (this.#signalled.size > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }
}

function isFull(result: number): boolean {
  return result === -E.ENOSPC || result === -E.EDQUOT;
}

function tooOld(version: string): IzoError {
  return new IzoError(
    'kernel-too-old',
    `this kernel speaks FUSE ${version}; at least 7.${OLDEST_MINOR_VERSION} is needed`,
    { remedy: 'Run Linux 5.4 or later.' },
  );
}
