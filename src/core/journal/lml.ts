import { assert } from '../model/assert.js';
import type { ObjectId, ReplicaId, Stamp } from '../model/ids.js';
import type { FileHandle } from '../model/records.js';
import { E, must } from '../system/errno.js';
import { pread } from '../system/files.js';
import { Memory } from '../system/native.js';
import { getU53, isSealed, putU53, seal } from './bytes.js';
import { realDisk, type Disk, type DiskOperation } from './disk.js';
import { HEADER_BYTES, readHeader, sizeOf, startHeader, writeHeader } from './log-file.js';

/** One note. A slot never straddles two blocks of the disk. */
export const LML_SLOT_BYTES = 512;
const MAGIC = 'izoLML\n';
const AT = {
  state: 0,
  flags: 1,
  pathLength: 2,
  generation: 4,
  object: 8,
  stamp: 24,
  ino: 40,
  path: 48,
  checksum: 508,
} as const;
const STATE = { free: 0, writing: 1, installing: 2, mapped: 3 } as const;
type NotedState = Exclude<keyof typeof STATE, 'free'>;
const STATES: readonly NotedState[] = ['writing', 'installing', 'mapped'];
const PATH_CUT = 1;
const PATH_BYTES = AT.checksum - AT.path;

/**
 * `writing`: contents are being changed and no CLOSE tells of it yet. `installing`: a peer's contents are on their way
 * to their place. `mapped`: a program can write without telling anybody. The lower file is named by `handle`; the path is for people, and for where the handle leads nowhere.
 */
export interface LmlEntry {
  readonly state: NotedState;
  readonly object: ObjectId;
  /** The version before the writes, or the one that is being installed. */
  readonly stamp: Stamp;
  readonly handle: FileHandle;
  readonly path: string;
  /** Of a leftover: the path is longer than a slot keeps, only its beginning is known. */
  readonly pathIsCut?: boolean;
}

export interface Leftover {
  readonly slot: number;
  readonly entry: LmlEntry;
}

/** A negated errno where the note could not be written. */
export type SlotOrErrno = number;

/** The in-progress log: what a crash now would leave half done. Notes are made before the act and cleared after it. */
export class Lml {
  readonly #memory = new Memory(LML_SLOT_BYTES);
  readonly #zeros = new Memory(LML_SLOT_BYTES);
  readonly #free: number[] = [];
  readonly #used = new Map<number, LmlEntry>();
  /** Slots that are neither free nor readable. They are left alone until `clear`. */
  readonly damaged: number[] = [];
  #slots = 0;

  private constructor(
    readonly fd: number,
    private readonly disk: Disk,
  ) {}

  /** Writes the header of an empty log. @throws SystemError */
  static format(fd: number, log: ReplicaId, disk: Disk = realDisk): void {
    const memory = new Memory(HEADER_BYTES);
    startHeader(memory.buffer, MAGIC, log);
    writeHeader(disk, 'lml.header', fd, memory);
  }

  /** @throws IzoError journal-damaged, journal-version; SystemError */
  static open(fd: number, disk: Disk = realDisk): Lml {
    const lml = new Lml(fd, disk);
    readHeader(fd, 'lml', MAGIC, lml.#memory);
    lml.#load(sizeOf(fd));
    return lml;
  }

  #load(size: number): void {
    const { buffer, address } = this.#memory;
    this.#slots = Math.max(0, Math.ceil(size / LML_SLOT_BYTES) - 1);
    for (let slot = this.#slots - 1; slot >= 0; slot--) {
      buffer.fill(0);
      must('pread', pread(this.fd, address, LML_SLOT_BYTES, offsetOf(slot)), 'lml');
      if (buffer[AT.state] === STATE.free) this.#free.push(slot);
      else this.#take(slot, decode(buffer));
    }
  }

  #take(slot: number, entry: LmlEntry | undefined): void {
    if (entry === undefined) this.damaged.push(slot);
    else this.#used.set(slot, entry);
  }

  /** @returns the slot, for `clear`, or a negated errno: then nothing is noted and the act must not begin. */
  note(entry: LmlEntry): SlotOrErrno {
    const slot = this.#free.pop() ?? this.#slots;
    encode(this.#memory.buffer, entry);
    const result = this.#write('lml.note', slot, this.#memory.address);
    if (result < 0) {
      if (slot < this.#slots) this.#free.push(slot);
      return result;
    }
    if (slot === this.#slots) this.#slots++;
    this.#used.set(slot, entry);
    return slot;
  }

  /** The act is done. @returns 0 or a negated errno: then the note is still there, and after a crash is acted upon. */
  clear(slot: number): number {
    const broken = this.damaged.indexOf(slot);
    assert(broken >= 0 || this.#used.has(slot), `LML slot ${slot} is free already`);
    const result = this.#write('lml.clear', slot, this.#zeros.address);
    if (result < 0) return result;
    this.#used.delete(slot);
    if (broken >= 0) this.damaged.splice(broken, 1);
    this.#free.push(slot);
    return 0;
  }

  /** All notes: after `open` those of acts that a crash has cut short. In the order of the slots. */
  leftovers(): Leftover[] {
    return [...this.#used]
      .map(([slot, entry]) => ({ slot, entry }))
      .sort((a, b) => a.slot - b.slot);
  }

  #write(operation: DiskOperation, slot: number, address: number): number {
    const result = this.disk.pwrite(operation, this.fd, address, LML_SLOT_BYTES, offsetOf(slot));
    if (result < 0) return result;
    return result === LML_SLOT_BYTES ? 0 : -E.ENOSPC;
  }
}

/** The header has the place of one slot. */
function offsetOf(slot: number): number {
  return (slot + 1) * LML_SLOT_BYTES;
}

function encode(buffer: Buffer, entry: LmlEntry): void {
  const kept = Math.min(entry.path.length, PATH_BYTES);
  buffer.fill(0);
  buffer[AT.state] = STATE[entry.state];
  buffer[AT.flags] = entry.path.length > kept || entry.pathIsCut === true ? PATH_CUT : 0;
  buffer.writeUInt16LE(kept, AT.pathLength);
  buffer.writeUInt32LE(entry.handle.generation, AT.generation);
  putU53(buffer, entry.object.replica, AT.object);
  putU53(buffer, entry.object.number, AT.object + 8);
  putU53(buffer, entry.stamp.replica, AT.stamp);
  putU53(buffer, entry.stamp.recno, AT.stamp + 8);
  putU53(buffer, entry.handle.ino, AT.ino);
  buffer.write(entry.path, AT.path, kept, 'latin1');
  seal(buffer, 0, LML_SLOT_BYTES);
}

function decode(buffer: Buffer): LmlEntry | undefined {
  const state = STATES.find((name) => STATE[name] === buffer[AT.state]);
  const length = buffer.readUInt16LE(AT.pathLength);
  if (!isSealed(buffer, 0, LML_SLOT_BYTES) || length > PATH_BYTES) return undefined;
  if (state === undefined) return undefined;
  return {
    state,
    object: { replica: getU53(buffer, AT.object), number: getU53(buffer, AT.object + 8) },
    stamp: { replica: getU53(buffer, AT.stamp), recno: getU53(buffer, AT.stamp + 8) },
    handle: { ino: getU53(buffer, AT.ino), generation: buffer.readUInt32LE(AT.generation) },
    path: buffer.toString('latin1', AT.path, AT.path + length),
    pathIsCut: ((buffer[AT.flags] ?? 0) & PATH_CUT) !== 0,
  };
}
