import type { FilesetLogs } from '../../journal/index.js';
import type { FuseBinding } from '../../fuse/port.js';
import type { Fault } from '../../model/fault.js';
import type { Recno, ReplicaId } from '../../model/ids.js';
import type { Stretch } from '../../model/position.js';
import { displayBytes } from '../../model/names.js';
import { opcodeName, type JournalRecord } from '../../model/records.js';
import { E, errnoName } from '../../system/errno.js';
import type { NodeTable } from '../tree/node-table.js';
import type { Patches } from './patches.js';
import type { Contents } from './peer-contents.js';
import { DIVERGED, type Prepared, type RemoteUpdates } from './remote-update.js';

/** A record of a peer, its checksum in the peer's log, and what a CLOSE brings along. */
export interface RemoteItem {
  readonly record: JournalRecord;
  readonly checksum: number;
  readonly contents: Contents | PatchFile | undefined;
}

/** A file of the stage that tells what is different in a file. */
export interface PatchFile {
  readonly kind: 'patch-file';
  readonly name: string;
}

/** Why a peer's record could not be applied; nothing of it was. */
export interface ApplyFailure {
  readonly recno: Recno;
  /** `diverged`, or the name of an error number. */
  readonly reason: string;
  readonly message: string;
  /** undefined where it is not the record's fault. */
  readonly fault: Fault | undefined;
}

/** What to expect of a peer's log after a batch. */
export interface NextExpected {
  readonly recno: Recno;
  /** Of the record before that, as the peer's log has it. */
  readonly checksum: number;
  /** Of that log, where the batch is from a shortened history. */
  readonly stretch: Stretch;
}

/** Where a record comes from. */
interface Source {
  readonly peer: ReplicaId;
  readonly next: NextExpected;
}

/** Time that a batch may take from the requests of local programs, at a stretch. */
const SLICE_MS = 4;

/** lento went away, or did not answer, while its batch was on its way: local programs go on without it. */
const DISCONNECTED = -1_000_001;

/**
 * Applies records of peers in their order: the server logs them again under its own numbers, for the other replicators;
 * a client does not. The counter of what to expect from the peer moves with each.
 */
export class Applier {
  constructor(
    private readonly table: NodeTable,
    private readonly logs: FilesetLogs,
    private readonly updates: RemoteUpdates,
    private readonly patches: Patches,
    private readonly binding: () => FuseBinding | undefined,
    private readonly announce: () => void,
    /** False while local programs may update: then the tree is not the one that a peer's records are made for. */
    private readonly mayApply: () => boolean,
  ) {}

  /** Next record to expect from the peer. */
  expected(peer: ReplicaId): Recno {
    return this.logs.lastRcvd.get(peer)?.expected ?? 1;
  }

  /**
   * @param next what to expect after the batch: numbers in it that no item has were left out by the sender on purpose.
   * @returns why it stopped early, or undefined. What was applied before stays applied.
   */
  async apply(
    peer: ReplicaId,
    items: readonly RemoteItem[],
    next: NextExpected,
    log: boolean,
  ): Promise<ApplyFailure | undefined> {
    const from = { peer, next };
    let sliceEnd = performance.now() + SLICE_MS;
    this.table.collect();
    try {
      for (const item of items) {
        const { record, checksum, contents } = item;
        // Sent again after a lost acknowledgement.
        if (record.head.recno < this.expected(peer)) continue;
        const failure =
          contents?.kind === 'patch-file'
            ? await this.#applyPatch(from, record, checksum, contents, log)
            : this.#applyOne(from, record, checksum, contents, log);
        if (failure !== undefined) return failure;
        if (performance.now() < sliceEnd) continue;
        this.table.sweep();
        await new Promise((resume) => setImmediate(resume));
        this.table.collect();
        sliceEnd = performance.now() + SLICE_MS;
      }
      if (next.recno > this.expected(peer)) {
        this.logs.lastRcvd.setExpected(peer, next.recno, next.checksum, next.stretch);
      }
      return undefined;
    } finally {
      this.table.sweep();
      if (log) this.announce();
    }
  }

  async #applyPatch(
    from: Source,
    record: JournalRecord,
    checksum: number,
    { name }: PatchFile,
    log: boolean,
  ): Promise<ApplyFailure | undefined> {
    const contents = await this.patches.ready(record, name);
    if (typeof contents === 'number') return failure(record, contents);
    this.table.collect();
    const failed = this.#applyOne(from, record, checksum, contents, log);
    await this.patches.done(contents);
    this.table.collect();
    return failed;
  }

  #applyOne(
    { peer, next }: Source,
    record: JournalRecord,
    checksum: number,
    contents: Contents | undefined,
    log: boolean,
  ): ApplyFailure | undefined {
    if (!this.mayApply()) return failure(record, DISCONNECTED);
    const plan = this.updates.prepare(record, contents);
    if (typeof plan === 'number') return failure(record, plan);
    const result = this.#carryOut(plan, () => this.#journalAndApply(peer, record, plan, log));
    if (result < 0) return failure(record, result);
    const expected = record.head.recno + 1;
    // A shortened history may have mended the record, which then has another checksum than in the log.
    const inLog = expected === next.recno ? next.checksum : checksum;
    const counted = this.logs.lastRcvd.setExpected(peer, expected, inLog, next.stretch);
    return counted < 0 ? failure(record, counted) : undefined;
  }

  /** One step of a merge: neither logged nor counted. @returns why it could not be done, or undefined */
  applyStep({ record, contents }: RemoteItem): ApplyFailure | undefined {
    // A merge has all contents whole.
    if (contents?.kind === 'patch-file') return failure(record, -E.EINVAL);
    const plan = this.updates.prepare(record, contents, true);
    if (typeof plan === 'number') return failure(record, plan);
    const result = this.#carryOut(plan, () => plan.apply());
    return result < 0 ? failure(record, result) : undefined;
  }

  #carryOut(plan: Prepared, act: () => number): number {
    for (const { parent } of plan.names) this.table.hold(parent);
    for (const node of plan.nodes) this.table.hold(node);
    const result = act();
    plan.release();
    if (result >= 0) this.#tellKernel(plan);
    for (const { parent } of plan.names) this.table.unhold(parent);
    for (const node of plan.nodes) this.table.unhold(node);
    return result;
  }

  #journalAndApply(peer: ReplicaId, record: JournalRecord, plan: Prepared, log: boolean): number {
    if (!log) return plan.apply();
    const { recno, originRecno } = record.head;
    if (recno !== originRecno) {
      const noted = this.logs.lastRcvd.note({ peer, recno, logged: this.logs.kml.next });
      if (noted < 0) return noted;
    }
    const written = this.logs.kml.append(record.head, plan.body);
    if (written < 0) return written;
    const result = plan.apply();
    if (result < 0) this.logs.kml.takeBack();
    return result;
  }

  #tellKernel(plan: Prepared): void {
    const binding = this.binding();
    if (binding === undefined) return;
    for (const { parent, name } of plan.names) {
      if (!parent.isKnown) continue;
      for (const id of parent.ids) {
        binding.invalidateEntry(id, name);
        binding.invalidateNode(id, false);
      }
    }
    for (const node of plan.nodes) {
      if (!node.isKnown) continue;
      for (const id of node.ids) binding.invalidateNode(id, plan.contents);
    }
  }
}

function failure(record: JournalRecord, result: number): ApplyFailure {
  const { body, head } = record;
  const path = 'path' in body ? body.path : '';
  const operation = opcodeName(body.op) ?? 'record';
  const what = `${operation} ${displayBytes(path)} (record ${head.recno})`;
  if (result === DIVERGED) {
    return {
      recno: head.recno,
      reason: 'diverged',
      message: `${what}: this replica was changed in a way that the sender has not seen`,
      fault: { path, operation, errno: 'diverged' },
    };
  }
  if (result === DISCONNECTED) {
    const message = `${what}: this fileset goes on as disconnected`;
    return { recno: head.recno, reason: 'disconnected', message, fault: undefined };
  }
  const reason = errnoName(result);
  const fault = { path, operation, errno: reason };
  return { recno: head.recno, reason, message: `${what}: ${reason}`, fault };
}
