import { setTimeout as sleep } from 'node:timers/promises';
import type { FuseBinding, FuseOperations, NodeId } from '../fuse/port.js';
import type { FilesetLogs } from '../journal/index.js';
import type { Recno } from '../model/ids.js';
import type { GateState, Policy, PrestoStatus } from '../psdev/messages.js';
import type { WaitReason } from '../psdev/trace.js';
import { E, errnoName } from '../system/errno.js';
import { raiseOpenFilesLimit } from '../system/open-files-limit.js';
import { LIMITS } from '../model/limits.js';
import { displayBytes } from '../model/names.js';
import { Applier } from './peers/applier.js';
import { Contents } from './contents/contents.js';
import { CacheWatch } from './mounting/cache-watch.js';
import type { PrestoCore } from './core.js';
import { Descriptors, descriptorsWithin } from './tree/descriptors.js';
import { IoModes } from './contents/io-modes.js';
import { LocalUpdates } from './local-updates.js';
import { LowerTree } from './tree/lower-tree.js';
import { MergeFiles } from './peers/merge-files.js';
import { Merger } from './peers/merger.js';
import { pathOf, type Node } from './tree/node.js';
import { NodeTable } from './tree/node-table.js';
import { ObjectGuard } from './tree/object-guard.js';
import { OpenFiles } from './tree/open-files.js';
import { prestoOperations } from './operations/index.js';
import { Patches } from './peers/patches.js';
import { PermitGate } from './permit-gate.js';
import { Placement } from './peers/placement.js';
import { RemoteUpdates } from './peers/remote-update.js';
import { Tracer } from './trace/tracer.js';
import { Returning } from './returning.js';
import { UnseenWrites } from './contents/unseen-writes.js';
import { WriteBack } from './contents/write-back.js';
import { XattrRecords } from './mounting/xattr-records.js';

export type PrestoLog = (
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error',
  message: string,
) => void;

export interface PrestoOptions {
  /** How long updates wait for a permit before the host counts as cut off. */
  readonly upcallMs?: number;
  /** Where the cache is mounted, and where the fileset is. */
  readonly lowerPath?: string;
  readonly mountPoint?: string;
}

/** Nobody in particular: updates that presto itself journals, for writes that were cut short. */
export const PRESTO_ITSELF = { uid: 0, gid: 0, pid: 0 };

/** Time between attempts to journal a CLOSE for which there was no room. */
const LATE_MS = 1_000;
/** It doubles up to this where not room is missing: a lower file system that has failed is not asked all the time. */
const LATE_MAX_MS = 60_000;

/** Time between attempts to go on with a merge. */
const STUCK_MS = 1_000;

/**
 * One mounted fileset: the lower tree, its logs, the gate that updates pass, and the kernel's binding. The one process
 * that changes the lower tree.
 */
export class Presto {
  readonly table: NodeTable;
  readonly tree: LowerTree;
  readonly files: OpenFiles;
  readonly returning = new Returning();
  readonly modes = new IoModes(() => this.#binding);
  readonly gate: PermitGate;
  readonly contents: Contents;
  readonly unseen: UnseenWrites;
  readonly xattrs: XattrRecords;
  readonly remote: RemoteUpdates;
  readonly patches: Patches;
  readonly applier: Applier;
  readonly merger: Merger;
  readonly operations: FuseOperations;
  readonly tracer: Tracer;
  #binding: FuseBinding | undefined;
  readonly cache: CacheWatch;
  #policy: Policy = 'write';
  /** Why a merge does not go on. */
  #stuck: string | undefined;
  #late: NodeJS.Timeout | undefined;
  #lateMs = LATE_MS;
  /** Where the psdev server hears of the log's growth and of waiting programs. */
  announce: () => void = () => undefined;
  want: () => void = () => undefined;

  constructor(
    rootFd: number,
    /** Descriptor of `.intermezzo/<fileset>/stage`. */
    readonly stageFd: number,
    readonly logs: FilesetLogs,
    readonly log: PrestoLog,
    { upcallMs = LIMITS.upcallMs, lowerPath, mountPoint }: PrestoOptions = {},
  ) {
    const most = descriptorsWithin(raiseOpenFilesLimit());
    this.table = new NodeTable(rootFd, new Descriptors(most));
    this.tree = new LowerTree(this.table);
    this.files = new OpenFiles(this.tree, this.modes);
    const announce = () => this.announce();
    this.cache = new CacheWatch({ lowerPath, mountPoint }, (message) => log('error', message));
    const updates = new LocalUpdates(logs, announce, this.cache);
    this.contents = new Contents(this.tree, logs, updates, () => this.#closeLater(), this.cache);
    this.gate = new PermitGate(
      () => this.#policy,
      () => this.want(),
      () => {
        this.unseen.gateMoved();
        this.#binding?.resumeParked();
      },
      upcallMs,
      () => log('warn', 'no permit in time: going on as disconnected'),
    );
    this.patches = new Patches(this.tree, logs, stageFd);
    this.remote = new RemoteUpdates(this.tree, new Placement(this.tree, stageFd, this.patches));
    this.applier = new Applier(
      this.table,
      logs,
      this.remote,
      this.patches,
      () => this.#binding,
      announce,
      () => this.gate.state === 'absent',
    );
    const files = new MergeFiles(logs.directory, stageFd);
    this.merger = new Merger(this.tree, logs, this.applier, files, () => this.#binding);
    const contentsMoved = (node: NodeId) => this.#binding?.invalidateNode(node, true);
    this.unseen = new UnseenWrites(this.tree, this.contents, this.gate, contentsMoved);
    const writeBack = new WriteBack(() => this.#binding);
    this.xattrs = new XattrRecords(this.tree, updates);
    const guard = new ObjectGuard(this.tree.identity, logs);
    const isContested = () => this.#binding?.isContested() === true;
    const own = { logs, updates, contentsMoved, writeBack, guard, isContested };
    const core: PrestoCore = { ...this.#shared(), ...own };
    this.operations = prestoOperations(core);
    this.tracer = new Tracer({
      table: this.table,
      reason: (operation) => this.#reasonToWait(operation),
      watch: (watcher) => this.#binding?.watch(watcher),
    });
  }

  /** Updates wait at the gate; to look for holes waits for what the kernel has yet to write. */
  #reasonToWait(operation: string): WaitReason {
    if (operation === 'lseek') return 'write-back';
    return this.gate.isFrozen ? 'merge' : 'permit';
  }

  #shared(): Pick<
    PrestoCore,
    'table' | 'tree' | 'files' | 'modes' | 'gate' | 'contents' | 'unseen' | 'xattrs' | 'returning'
  > {
    const { table, tree, files, modes, gate, contents, unseen, xattrs, returning } = this;
    return { table, tree, files, modes, gate, contents, unseen, xattrs, returning };
  }

  /** Serves the mount. Resolves when it answers. */
  async serve(binding: FuseBinding): Promise<void> {
    this.#binding = binding;
    await binding.serve(this.operations);
  }

  /**
   * Opens or shuts the gate. Where updates end, contents written so far are closed first: who gets the permit next sees
   * all that was done with it. @returns the end of the log.
   */
  setGate(state: GateState, policy: Policy): Recno {
    this.#policy = policy;
    if (state === 'absent') this.closeDirty();
    this.gate.set(state);
    return this.logs.kml.end.recno;
  }

  /**
   * Carries out the merge that lento has planned: until it is done, nobody updates the tree.
   * @throws IzoError where it cannot be begun: then nothing was done
   */
  async merge(name: string): Promise<void> {
    this.merger.take(name);
    this.gate.freeze();
    while (!(await this.#mergeOn())) await sleep(STUCK_MS, undefined, { ref: false });
    this.gate.thaw();
  }

  /** What was taken over will be done: where it cannot be now, for want of room on the disk, it is tried again. */
  async #mergeOn(): Promise<boolean> {
    try {
      await this.merger.finish();
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.#stuck) this.log('error', `the merge cannot go on: ${reason}`);
      this.#stuck = reason;
      return false;
    }
  }

  /** Journals a CLOSE for everything written and not yet closed. */
  closeDirty(): void {
    this.unseen.note();
    for (const node of this.table.dirty()) {
      const result = this.contents.closeUnopened(node, PRESTO_ITSELF);
      // The note in the LML stays: nothing is lost, only late.
      if (result < 0) {
        const path = displayBytes(pathOf(node) ?? node.name);
        this.log('error', `a CLOSE of ${path} could not be journaled: ${errnoName(result)}`);
      }
    }
  }

  /** A full disk has room again some day: files that no program has open any more are waiting for their CLOSE. */
  #closeLater(): void {
    this.#late ??= setTimeout(() => {
      this.#late = undefined;
      const waiting = this.table.dirty().filter((node) => node.writers === 0);
      if (waiting.length > 0 && this.gate.state === 'absent') this.#closeLater();
      else this.#closeWaiting(waiting);
    }, this.#lateMs).unref();
  }

  #closeWaiting(waiting: readonly Node[]): void {
    const results = waiting.map((node) =>
      this.cache.note(this.contents.closeUnopened(node, PRESTO_ITSELF)),
    );
    const failed = results.some((result) => result < 0 && result !== -E.ENOSPC);
    this.#lateMs = failed ? Math.min(2 * this.#lateMs, LATE_MAX_MS) : LATE_MS;
    // Where the file could not even be opened, nobody has asked for another attempt.
    if (failed) this.#closeLater();
  }

  /** Resolves when the kernel has dropped what it was told to, or after `timeoutMs`. */
  async invalidated(timeoutMs: number): Promise<void> {
    await this.#binding?.invalidated(timeoutMs);
  }

  status(): PrestoStatus {
    return {
      gate: this.gate.state,
      nodes: this.table.size,
      openFiles: this.files.count,
      parked: this.#binding?.parked ?? 0,
      logBytes: this.logs.kml.size,
      binding: this.#binding?.kind ?? 'none',
      cache: this.cache.state(),
    };
  }

  /** When the mount is gone: what is still dirty is closed, descriptors are given back. The logs are the caller's. */
  close(): void {
    this.closeDirty();
    clearTimeout(this.#late);
    this.unseen.close();
    this.patches.close();
    this.files.closeAll();
    this.table.close();
  }
}
