import { randomBytes } from 'node:crypto';
import { IzoError } from '../model/errors.js';
import type { Recno, ReplicaId } from '../model/ids.js';
import type { Epoch } from '../model/position.js';
import { must } from '../system/errno.js';
import { close, O_NOFOLLOW, O_RDONLY, openat, pread } from '../system/files.js';
import { Memory } from '../system/native.js';
import { getU53, isSealed, putU53, seal } from './bytes.js';
import { realDisk, type Disk } from './disk.js';
import { HEADER_BYTES, readHeader, sizeOf, startHeader } from './log-file.js';

export const EPOCHS_FILE = 'epochs';

const MAGIC = 'izoEPOC';
const SLOT_BYTES = 40;
const AT = { serial: 0, id: 8, from: 16, after: 24 } as const;
/** All slots are there from the beginning: a full disk does not keep a log from being opened. */
const SLOTS = 1_000;
const FILE_BYTES = HEADER_BYTES + SLOTS * SLOT_BYTES;

interface Slot extends Epoch {
  /** 1 for the first; it stands in the slot of that number, counted around. */
  readonly serial: number;
}

/** The epochs of a log, for the one process that writes that. */
export class Epochs {
  readonly #memory = new Memory(FILE_BYTES);
  #current: Slot;

  private constructor(
    private readonly fd: number,
    begun: Omit<Epoch, 'id'>,
    log: ReplicaId,
    private readonly disk: Disk,
  ) {
    if (!isOf(fd, log, this.#memory)) format(fd, log, this.#memory, disk);
    const serial = (slotsOf(this.#memory.buffer).at(-1)?.serial ?? 0) + 1;
    this.#current = { serial, id: newEpochId(), ...begun };
    this.#write();
  }

  /**
   * The log `log` was opened for writing: an epoch begins, durable before any record is written in it. A file that cannot be
   * read, or is of another log, is made anew: then nothing is known of the epochs before.
   * @throws IzoError journal-version; SystemError
   */
  static begin(
    fd: number,
    begun: Omit<Epoch, 'id'>,
    log: ReplicaId,
    disk: Disk = realDisk,
  ): Epochs {
    return new Epochs(fd, begun, log, disk);
  }

  /** The log has one record less than it seemed to have when it was opened: it ends with `after`. @throws SystemError */
  beganAfter(after: Recno): void {
    this.#current = { ...this.#current, after };
    this.#write();
  }

  #write(): void {
    const { serial, id, from, after } = this.#current;
    const { buffer, address } = this.#memory;
    const at = HEADER_BYTES + (serial % SLOTS) * SLOT_BYTES;
    buffer.fill(0, at, at + SLOT_BYTES);
    putU53(buffer, serial, at + AT.serial);
    putU53(buffer, id, at + AT.id);
    putU53(buffer, from, at + AT.from);
    putU53(buffer, after, at + AT.after);
    seal(buffer, at, SLOT_BYTES);
    const written = this.disk.pwrite('epochs.begin', this.fd, address + at, SLOT_BYTES, at);
    must('epochs', written, EPOCHS_FILE);
    must('epochs', this.disk.fsync('epochs.sync', this.fd), EPOCHS_FILE);
  }
}

/** @param directory descriptor of `.intermezzo/FILESET`. @returns in order, the current one last. @throws SystemError */
export function readEpochs(directory: number, log: ReplicaId): Epoch[] {
  const fd = must('open', openat(directory, EPOCHS_FILE, O_RDONLY | O_NOFOLLOW), EPOCHS_FILE);
  try {
    const memory = new Memory(FILE_BYTES);
    return isOf(fd, log, memory) ? slotsOf(memory.buffer).map(epochIn) : [];
  } finally {
    close(fd);
  }
}

/** Whether it is a whole file of that log; then `memory` has all of it. */
function isOf(fd: number, log: ReplicaId, memory: Memory): boolean {
  if (sizeOf(fd) !== FILE_BYTES) return false;
  try {
    if (readHeader(fd, EPOCHS_FILE, MAGIC, memory) !== log) return false;
  } catch (error) {
    if (error instanceof IzoError && error.code === 'journal-damaged') return false;
    throw error;
  }
  return must('pread', pread(fd, memory.address, FILE_BYTES, 0), EPOCHS_FILE) === FILE_BYTES;
}

function format(fd: number, log: ReplicaId, memory: Memory, disk: Disk): void {
  memory.buffer.fill(0);
  startHeader(memory.buffer, MAGIC, log);
  seal(memory.buffer, 0, HEADER_BYTES);
  const written = disk.pwrite('epochs.header', fd, memory.address, FILE_BYTES, 0);
  must('epochs', written, EPOCHS_FILE);
}

/** Those up to the last one without a gap: what came before one that cannot be read lasted until nobody knows when. */
function slotsOf(buffer: Buffer): Slot[] {
  const found: Slot[] = [];
  for (let at = HEADER_BYTES; at < FILE_BYTES; at += SLOT_BYTES) {
    const serial = getU53(buffer, at + AT.serial);
    if (serial === 0 || !isSealed(buffer, at, SLOT_BYTES)) continue;
    const field = (offset: number): number => getU53(buffer, at + offset);
    found.push({ serial, id: field(AT.id), from: field(AT.from), after: field(AT.after) });
  }
  found.sort((a, b) => a.serial - b.serial);
  const last = found.at(-1)?.serial ?? 0;
  return found.filter(({ serial }, i) => last - serial === found.length - 1 - i);
}

/** 1 to 2^48 - 1, at random. */
function newEpochId(): number {
  return randomBytes(6).readUIntBE(0, 6) || newEpochId();
}

function epochIn({ id, from, after }: Slot): Epoch {
  return { id, from, after };
}
