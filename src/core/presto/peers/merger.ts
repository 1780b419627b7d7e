import { IDENTITY_XATTR } from '../../cache/identity.js';
import type { FuseBinding } from '../../fuse/port.js';
import { decodeRecord, KmlReader, type FilesetLogs } from '../../journal/index.js';
import { IzoError } from '../../model/errors.js';
import { displayBytes } from '../../model/names.js';
import { NO_OBJECT, NO_STAMP, type Recno } from '../../model/ids.js';
import { NO_STRETCH } from '../../model/position.js';
import { Opcode } from '../../model/records.js';
import { FrameError } from '../../psdev/frames.js';
import type { MergePlan, MergeStep } from '../../psdev/merge-plan.js';
import { errnoName, must } from '../../system/errno.js';
import {
  freeBytes,
  now,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  UTIME_OMIT,
  utimensat,
} from '../../system/files.js';
import { Memory } from '../../system/native.js';
import { listxattrAt, removexattrAt } from '../../system/xattrs.js';
import type { Applier } from './applier.js';
import type { LowerTree } from '../tree/lower-tree.js';
import type { MergeFiles } from './merge-files.js';
import { pathOf, type Node } from '../tree/node.js';
import { remoteItem } from './remote-item.js';
import { resolve } from '../tree/resolve.js';

/** Time that a merge may take from the requests of local programs, at a stretch. */
const SLICE_MS = 4;

/** What is left over after a merge, and what a step may need: a name in a full directory, an attribute of its own. */
const ROOM_BYTES = 1024 * 1024;
const STEP_BYTES = 4096;

/** Nothing was done, and whatever is in the stage for it is lento's again. @throws IzoError */
export function refuseMerge(reason: string): never {
  throw new IzoError('merge-refused', `The merge is not begun: ${reason}.`);
}

/** The merge could not go on; it is taken up again where it stopped. */
export class MergeStuck extends Error {
  override readonly name = 'MergeStuck';
}

/**
 * Carries out a merge that lento has planned: the steps on the tree, then the amendments in the log, then the counters.
 * Everything it needs is on this disk, so that a crash only interrupts it.
 */
export class Merger {
  readonly #names = new Memory(65536);

  constructor(
    private readonly tree: LowerTree,
    private readonly logs: FilesetLogs,
    private readonly applier: Applier,
    private readonly files: MergeFiles,
    private readonly binding: () => FuseBinding | undefined,
  ) {}

  /** Takes over the plan of that name in the stage. @throws IzoError, FrameError where it cannot be carried out */
  take(name: string): void {
    const { head, steps, amendments } = this.files.readStaged(name);
    if (head.end !== this.logs.kml.end.recno) refuseMerge('this host has been changed since');
    // On a full disk a CLOSE has to wait: lento, which plans by the log, knows nothing of those contents.
    const dirty = this.tree.table.dirty().map(pathOf);
    const path = dirty.find((each) => each !== undefined);
    if (path !== undefined)
      refuseMerge(`what was written to ${displayBytes(path)} is not journaled yet`);
    for (const step of steps) if (step.type === 'apply') remoteItem(step.item);
    if (this.files.isBusy()) refuseMerge('another merge is not done yet');
    const bytes = amendments.reduce((sum, record) => sum + record.length, 0);
    const needed = ROOM_BYTES + bytes + steps.length * STEP_BYTES;
    if (freeBytes(this.tree.table.root.fd) < needed)
      refuseMerge(`it needs ${needed} bytes of the cache`);
    this.files.take(name);
  }

  /**
   * Goes on with a merge that was begun. @returns whether there was one.
   * @throws MergeStuck where it cannot be finished now: nobody may update the tree until it is
   */
  async finish(): Promise<boolean> {
    const plan = this.files.read();
    if (plan === undefined) return false;
    const { table } = this.tree;
    let sliceEnd = performance.now() + SLICE_MS;
    table.collect();
    try {
      for (let at = Math.max(0, this.files.begun() - 1); at < plan.steps.length; at++) {
        this.#begin(at);
        const step = plan.steps[at];
        if (step !== undefined) this.#do(step);
        if (performance.now() < sliceEnd) continue;
        table.sweep();
        await new Promise((resume) => setImmediate(resume));
        table.collect();
        sliceEnd = performance.now() + SLICE_MS;
      }
    } finally {
      table.sweep();
    }
    this.#begin(plan.steps.length);
    this.#amend(plan);
    this.#count(plan);
    for (const name of plan.head.conflicts) this.files.keepConflict(name);
    this.files.remove();
    return true;
  }

  #begin(step: number): void {
    const noted = this.files.begin(step + 1);
    if (noted < 0) throw new MergeStuck(`its progress cannot be noted: ${errnoName(noted)}`);
  }

  #do(step: MergeStep): void {
    switch (step.type) {
      case 'apply': {
        const failure = this.applier.applyStep(remoteItem(step.item));
        if (failure !== undefined) throw new MergeStuck(failure.message);
        return;
      }
      case 'identity':
        this.#change(step.path, (node) => this.#identify(node, step));
        return;
      case 'touch':
        this.#change(step.path, (node) => this.#touch(node, step));
        return;
    }
  }

  #change(path: string, change: (node: Node) => number): void {
    const node = resolve(this.tree.table, path);
    const result = typeof node === 'number' ? node : change(node);
    if (result < 0) throw new MergeStuck(`${displayBytes(path)}: ${errnoName(result)}`);
    if (typeof node === 'number' || !node.isKnown) return;
    for (const id of node.ids) this.binding()?.invalidateNode(id, false);
  }

  #identify(node: Node, step: Extract<MergeStep, { type: 'identity' }>): number {
    if (step.bare) {
      const result = this.#strip(node);
      if (result < 0) return result;
    }
    const { object, content, attributes } = step;
    const { identity } = this.tree;
    const { parent, kind } = node;
    const inherited = parent === undefined ? 0 : identity.inheritedFlags(parent, kind);
    const flags = step.bare ? inherited : identity.of(node).flags;
    return identity.write(node, { object, content, attributes, flags });
  }

  /** Removes what extended attributes there are, ACLs too. */
  #strip(node: Node): number {
    const at = this.tree.table.locate(node);
    if (at.fd < 0) return at.fd;
    const length = listxattrAt(at.fd, at.name, this.#names.address, this.#names.length);
    if (length < 0) return length;
    for (const name of this.#names.buffer.toString('latin1', 0, length).split('\0')) {
      if (name === '' || name === IDENTITY_XATTR) continue;
      const result = removexattrAt(at.fd, at.name, name);
      if (result < 0) return result;
    }
    return 0;
  }

  #touch(node: Node, { time }: Extract<MergeStep, { type: 'touch' }>): number {
    const at = this.tree.table.locate(node);
    if (at.fd < 0) return at.fd;
    return utimensat(at.fd, at.name, 0, UTIME_OMIT, time.sec, time.nsec);
  }

  /** What is in the log already tells how far an interrupted merge had come with it. */
  #amend({ head, amendments }: MergePlan): void {
    const { kml, replica } = this.logs;
    // Nothing was pending, and nothing is to be told.
    if (amendments.length === 0 && head.replaces > head.end) return;
    if (kml.end.recno === head.end) {
      const nobody = { uid: 0, gid: 0, pid: 0, groups: [] };
      const origin = { origin: replica, originRecno: kml.next, time: now(), actor: nobody };
      const about = { ...origin, object: NO_OBJECT, before: NO_STAMP };
      this.#append(kml.append(about, { op: Opcode.NOOP, replaces: head.replaces }));
    }
    for (let done = this.#appendedSince(head.end) - 1; done < amendments.length; done++) {
      const bytes = amendments[done];
      const decoded = bytes === undefined ? 'it is missing' : decodeRecord(bytes, 0);
      if (typeof decoded === 'string') throw new FrameError(`an amendment: ${decoded}`);
      this.#append(kml.append(decoded.record.head, decoded.record.body));
    }
  }

  /** Numbers do not tell: after a crash some are left out. */
  #appendedSince(end: Recno): number {
    const fd = openat(this.logs.directory, 'kml', O_RDONLY | O_NOFOLLOW);
    const reader = new KmlReader(must('open', fd, 'kml'));
    let count = 0;
    try {
      for (const { record } of reader.backwards()) {
        if (record.head.recno <= end) break;
        count++;
      }
    } finally {
      reader.close();
    }
    return count;
  }

  #append(result: number): void {
    if (result < 0) throw new MergeStuck(`the log cannot be written: ${errnoName(result)}`);
  }

  #count({ head }: MergePlan): void {
    const { peer, next, checksum } = head;
    const counted = this.logs.lastRcvd.setExpected(peer, next, checksum, NO_STRETCH);
    if (counted < 0) throw new MergeStuck(`last_rcvd cannot be written: ${errnoName(counted)}`);
  }
}
