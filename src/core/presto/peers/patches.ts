import { fdatasync as fdatasyncLater } from 'node:fs';
import { promisify } from 'node:util';
import { decodeRecord, type FilesetLogs } from '../../journal/index.js';
import { sameObject, sameStamp } from '../../model/ids.js';
import { areNormal, totalBytes } from '../../model/ranges.js';
import { Opcode, stampOf, type CloseBody, type JournalRecord } from '../../model/records.js';
import type { Patch } from '../../psdev/patch.js';
import { Attr } from '../../system/attr.js';
import { E, ESTALE } from '../../system/errno.js';
import {
  close,
  fdatasync,
  freeBytes,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_RDWR,
  openat,
  renameat2,
  unlinkat,
} from '../../system/files.js';
import { generationOf } from '../../system/handles.js';
import { copyRanges, copyWhole } from './copy-part.js';
import type { LowerTree } from '../tree/lower-tree.js';
import type { Node } from '../tree/node.js';
import { readPatch, redoName } from './patch-file.js';
import { PRESENT, type Contents } from './peer-contents.js';
import { ReadyPatch } from './ready-patch.js';
import { resolve } from '../tree/resolve.js';

const fdatasyncAsync = promisify(fdatasyncLater);

/** A file that is not larger is copied as fast as a change of it is made safe. */
const COPIED_BYTES = 4 * 1024 * 1024;
/** More is not changed in one turn where that can be avoided. */
const TURN_BYTES = 16 * 1024 * 1024;
/** Left over after a file has been changed. */
const ROOM_BYTES = 1024 * 1024;

/** A CLOSE and the patch that came for it. */
interface Arrived {
  readonly record: JournalRecord;
  readonly body: CloseBody;
  readonly patch: Patch;
  /** Of the file in the stage: its name, and a descriptor. */
  readonly name: string;
  readonly from: number;
}

/**
 * Gets what is different in a file's new contents to where it can be put in place in one turn. A large file is changed where
 * it is: what is to be written is durable first, and noted in the LML, so that the next mount makes good what a crash has cut
 * short (`redo-patches.ts`). Where readers are passed through to the file, or it is small, a copy of it is changed, and put in
 * its place as a whole.
 */
export class Patches {
  readonly #attr = new Attr();
  /** Put in place, and not durable there yet: what waits until they are. */
  readonly #settling = new Set<() => void>();

  constructor(
    private readonly tree: LowerTree,
    private readonly logs: FilesetLogs,
    /** Descriptor of `.intermezzo/<fileset>/stage`. */
    private readonly stageFd: number,
  ) {}

  /**
   * @param name of the patch in the stage, made durable by lento
   * @returns contents that are to be put in place in this turn, then given to `done`; or a negated errno, -ESTALE where the
   * file is not the version that the patch is for
   */
  async ready(record: JournalRecord, name: string): Promise<Contents | number> {
    const { body } = record;
    if (body.op !== Opcode.CLOSE) return -E.EINVAL;
    const from = openat(this.stageFd, name, O_RDWR | O_NOFOLLOW);
    if (from < 0) return from;
    let contents: Contents | number = -E.EINVAL;
    try {
      const patch = readPatch(from);
      if (patch !== undefined && isOf(patch, record) && areNormal(patch.ranges, body.size)) {
        contents = await this.#ready({ record, body, patch, name, from });
      }
      return contents;
    } finally {
      if (!(contents instanceof ReadyPatch)) close(from);
    }
  }

  async #ready(arrived: Arrived): Promise<Contents | number> {
    const found = this.#look(arrived, (node) =>
      this.#mayChange(node, arrived.patch) ? this.#note(node, arrived) : this.#open(node),
    );
    if (typeof found === 'number' || 'kind' in found) {
      return found instanceof ReadyPatch ? this.#waitFor(found, arrived) : found;
    }
    return this.#assemble(arrived, found.fd);
  }

  /** Waits until the note is durable. */
  async #waitFor(noted: ReadyPatch, arrived: Arrived): Promise<Contents | number> {
    const durable = await durably(this.logs.lml.fd);
    // Meanwhile somebody may have come who is passed through.
    const still = this.#look(arrived, (node) =>
      this.#mayChange(node, arrived.patch) ? noted : this.#open(node),
    );
    if (durable >= 0 && still === noted) return noted;
    this.#drop(noted);
    if (typeof still !== 'number' && 'fd' in still) return this.#assemble(arrived, still.fd);
    return durable < 0 ? durable : still;
  }

  /** Finds the file, as it is for the patch, for one use of it. Its attributes are in #attr. */
  #look<T>({ record, body, patch }: Arrived, use: (node: Node) => T): T | number | typeof PRESENT {
    const { table, identity } = this.tree;
    table.collect();
    try {
      const node = resolve(table, body.path);
      if (typeof node === 'number') return node;
      const { object, content } = identity.of(node);
      const same = sameObject(object, record.head.object) && node.dirtySlot < 0;
      if (same && sameStamp(content, stampOf(record))) return PRESENT;
      if (!same || !sameStamp(content, patch.base)) return -ESTALE;
      const result = this.tree.stat(node, this.#attr);
      return result < 0 ? result : use(node);
    } finally {
      table.sweep();
    }
  }

  /** Whether the file itself is to be changed. */
  #mayChange(node: Node, { ranges }: Patch): boolean {
    const { nlink, size } = this.#attr;
    // Who writes to it, or knows it by another name, goes on with the same file.
    if (node.writers > 0 || nlink > 1) return true;
    return node.passing === 0 && size > COPIED_BYTES && totalBytes(ranges) <= TURN_BYTES;
  }

  #open(node: Node): { fd: number } | number {
    const fd = this.tree.open(node, O_RDWR);
    return fd < 0 ? fd : { fd };
  }

  /** From here on the patch is presto's. */
  #note(node: Node, { record, body, patch, name, from }: Arrived): ReadyPatch | number {
    const { base, ranges } = patch;
    if (freeBytes(this.stageFd) < totalBytes(ranges) + ROOM_BYTES) return -E.ENOSPC;
    const opened = this.#open(node);
    if (typeof opened === 'number') return opened;
    const to = opened.fd;
    const { ino } = node;
    const stamp = stampOf(record);
    const handle = { ino, generation: Math.max(0, generationOf(to)) };
    const { object } = record.head;
    const taken = renameat2(this.stageFd, name, this.stageFd, redoName(stamp));
    const slot =
      taken < 0
        ? taken
        : this.logs.lml.note({ state: 'installing', object, stamp, handle, path: body.path });
    if (slot >= 0) return new ReadyPatch(from, to, ino, base, stamp, ranges, slot);
    close(to);
    return slot;
  }

  /** Nothing of it has been put in place. */
  #drop(patch: ReadyPatch): void {
    close(patch.to);
    this.#forget(patch);
  }

  /** The note goes first: without its file it would mean nothing. */
  #forget({ slot, stamp }: ReadyPatch): void {
    if (this.logs.lml.clear(slot) >= 0) unlinkat(this.stageFd, redoName(stamp));
  }

  /** The new version as a file of its own, from the old one in `base`, which is closed. */
  async #assemble(arrived: Arrived, base: number): Promise<Contents | number> {
    const { record, body, patch, from } = arrived;
    const { replica, recno } = stampOf(record);
    const name = `copy-${replica.toString(16)}-${recno}`;
    const size = Math.min(this.#attr.size, body.size);
    unlinkat(this.stageFd, name);
    const to = openat(this.stageFd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    let result = to < 0 ? to : await copyWhole(base, to, size);
    close(base);
    if (to < 0) return to;
    if (result >= 0) result = copyRanges(from, to, patch.ranges);
    close(to);
    // It was the right version all the time: nobody writes without taking its stamp away first.
    const still = result < 0 ? result : this.#look(arrived, () => 0);
    if (still === 0) return { kind: 'staged', name };
    unlinkat(this.stageFd, name);
    return still;
  }

  /** To be called in the turn in which it was put in place: a local program may write to the file in the next one. */
  placed(node: Node, patch: ReadyPatch): void {
    const settle = (): void => {
      if (!this.#settling.delete(settle)) return;
      node.settle = undefined;
      this.tree.table.unhold(node);
      if (patch.complete && fdatasync(patch.to) >= 0) this.#forget(patch);
      close(patch.to);
      close(patch.from);
    };
    this.tree.table.hold(node);
    this.#settling.add(settle);
    node.settle = settle;
    patch.settle = settle;
  }

  /** What `ready` gave was put in place, or could not be. Resolves when it is there for good. */
  async done(contents: Contents): Promise<void> {
    if (contents.kind === 'staged') unlinkat(this.stageFd, contents.name);
    if (contents.kind !== 'patch') return;
    if (!contents.begun) {
      this.#drop(contents);
      close(contents.from);
      return;
    }
    // In the thread that does not serve requests; then there is nothing left to do for the one that does.
    if (contents.complete) await durably(contents.to);
    contents.settle?.();
  }

  /** Nobody serves the mount any more. */
  close(): void {
    for (const settle of this.#settling) settle();
  }
}

/** After a crash the record in the patch is all that is known. */
function isOf(patch: Patch, record: JournalRecord): boolean {
  const decoded = decodeRecord(patch.record, 0);
  return typeof decoded !== 'string' && sameStamp(stampOf(decoded.record), stampOf(record));
}

async function durably(fd: number): Promise<number> {
  try {
    await fdatasyncAsync(fd);
    return 0;
  } catch {
    return -E.EIO;
  }
}
