import { assert } from '../model/assert.js';
import { IzoError } from '../model/errors.js';
import { REPLICA_ID_MAX, type Recno, type ReplicaId } from '../model/ids.js';
import { isWithin, NO_EPOCH, NO_STRETCH, type Stretch } from '../model/position.js';
import { E, must } from '../system/errno.js';
import { pread } from '../system/files.js';
import { Memory } from '../system/native.js';
import { getU53, isSealed, putU53, seal } from './bytes.js';
import { realDisk, type Disk } from './disk.js';
import {
  HEADER_BYTES,
  putHeader,
  readHeader,
  sizeOf,
  startHeader,
  writeHeader,
} from './log-file.js';

const MAGIC = 'izoRCVD';
const SLOT_BYTES = 64;
const AT = {
  peer: 0,
  expected: 8,
  checksum: 16,
  nextToSend: 24,
  from: 32,
  to: 40,
  epoch: 48,
} as const;

/** In the header, behind what all headers have. */
const IN_HAND = { peer: 24, recno: 32, logged: 40 } as const;

/**
 * A peer's record that is logged here, where its number in the peer's log is not the one of its update: a merge has made it
 * anew. The log alone does not tell how far that peer's log was received, if presto ends before the record is counted.
 */
export interface InHand {
  readonly peer: ReplicaId;
  /** Its number in the peer's log. */
  readonly recno: Recno;
  /** And in ours. */
  readonly logged: Recno;
}

/** How far this replica and a peer are with each other's logs. */
export interface PeerProgress {
  readonly peer: ReplicaId;
  /** The record of the peer's log that is applied here next; 1 before the first. */
  readonly expected: Recno;
  /** Checksum of the record before that one; 0 before the first. */
  readonly checksum: number;
  /** The record of our log that the peer has not acknowledged yet; 1 before the first. */
  readonly nextToSend: Recno;
  /** The stretch of the peer's log that is applied here in part, in a shortened history; NO_STRETCH: none. */
  readonly stretch: Stretch;
  /** The last epoch of the peer's log in which what is here of it was found to be its history; NO_EPOCH: not known. */
  readonly epoch: number;
}

/** Per peer: what was received from it and what it has acknowledged. A peer is the id of its log, not a host. */
export class LastRcvd {
  readonly #memory = new Memory(HEADER_BYTES);
  readonly #slots = new Map<ReplicaId, number>();
  readonly #progress = new Map<ReplicaId, PeerProgress>();
  readonly #free: number[] = [];
  #log: ReplicaId = 0;
  #inHand: InHand | undefined;
  #count = 0;
  #unreadable = 0;

  private constructor(
    readonly fd: number,
    private readonly disk: Disk,
  ) {}

  /** Writes the header of an empty table. `log`: the log whose acknowledgements it will keep. @throws SystemError */
  static format(fd: number, log: ReplicaId, disk: Disk = realDisk): void {
    const memory = new Memory(HEADER_BYTES);
    startHeader(memory.buffer, MAGIC, log);
    writeHeader(disk, 'lastRcvd.header', fd, memory);
  }

  /**
   * Opens the table for the log `log`. Where it was kept for an earlier log of this replica, what peers have acknowledged
   * is forgotten: it was about records that are no more. A slot that cannot be read is as good as none: the peer is asked.
   * @throws IzoError journal-damaged, journal-version; SystemError
   */
  static open(fd: number, log: ReplicaId, disk: Disk = realDisk): LastRcvd {
    const table = new LastRcvd(fd, disk);
    const keptFor = readHeader(fd, 'last_rcvd', MAGIC, table.#memory);
    table.#inHand = decodeInHand(table.#memory.buffer);
    table.#load(sizeOf(fd));
    table.#log = log;
    if (keptFor !== log) table.#restart(log);
    return table;
  }

  /**
   * What can be read of a table, whatever its header says, without changing it.
   * @returns `log`: undefined where the header cannot be read; `unreadable`: slots that are neither free nor good
   */
  static examine(fd: number): {
    log: ReplicaId | undefined;
    peers: PeerProgress[];
    unreadable: number;
  } {
    const table = new LastRcvd(fd, realDisk);
    const log = attempt(() => readHeader(fd, 'last_rcvd', MAGIC, table.#memory));
    table.#load(sizeOf(fd));
    return { log, peers: table.peers(), unreadable: table.#unreadable };
  }

  #load(size: number): void {
    const { buffer, address } = this.#memory;
    this.#count = Math.max(0, Math.ceil((size - HEADER_BYTES) / SLOT_BYTES));
    for (let slot = 0; slot < this.#count; slot++) {
      buffer.fill(0);
      must('pread', pread(this.fd, address, SLOT_BYTES, offsetOf(slot)), 'last_rcvd');
      const found = decode(buffer);
      if (found === undefined || this.#slots.has(found.peer)) {
        if (!isZero(buffer)) this.#unreadable++;
        this.#free.push(slot);
        continue;
      }
      this.#slots.set(found.peer, slot);
      this.#progress.set(found.peer, found);
    }
  }

  /** The header comes last, so that after a crash all of this is done again. */
  #restart(log: ReplicaId): void {
    for (const progress of this.#progress.values()) {
      must('last_rcvd', this.#write({ ...progress, nextToSend: 1 }));
    }
    LastRcvd.format(this.fd, log, this.disk);
    this.#inHand = undefined;
  }

  /** The last record that `note` was told of. */
  get inHand(): InHand | undefined {
    return this.#inHand;
  }

  /** To be called before such a record is logged. @returns 0 or a negated errno: then nothing has changed. */
  note(inHand: InHand): number {
    startHeader(this.#memory.buffer, MAGIC, this.#log);
    putU53(this.#memory.buffer, inHand.peer, IN_HAND.peer);
    putU53(this.#memory.buffer, inHand.recno, IN_HAND.recno);
    putU53(this.#memory.buffer, inHand.logged, IN_HAND.logged);
    const result = putHeader(this.disk, 'lastRcvd.header', this.fd, this.#memory);
    if (result === 0) this.#inHand = inHand;
    return result;
  }

  /** @returns undefined for a peer that was never heard of. */
  get(peer: ReplicaId): PeerProgress | undefined {
    return this.#progress.get(peer);
  }

  peers(): PeerProgress[] {
    return [...this.#progress.values()];
  }

  /**
   * Everything of the peer's log before `expected` is applied; `checksum` is that of record `expected - 1`. `stretch`: what
   * the records come from; one that `expected` is not in the middle of is over.
   * @returns 0 or a negated errno: then nothing has changed.
   */
  setExpected(
    peer: ReplicaId,
    expected: Recno,
    checksum: number,
    stretch = this.#progress.get(peer)?.stretch ?? NO_STRETCH,
  ): number {
    const known = this.#known(peer);
    const current = isWithin(stretch, expected) ? stretch : NO_STRETCH;
    return this.#write({ ...known, expected, checksum, stretch: current });
  }

  /** The peer has our log up to and including `recno`. @returns 0 or a negated errno: then nothing has changed. */
  setAcknowledged(peer: ReplicaId, recno: Recno): number {
    return this.#write({ ...this.#known(peer), nextToSend: recno + 1 });
  }

  /** What is here of the peer's log is its history in that epoch. @returns 0 or a negated errno: then nothing has changed. */
  setEpoch(peer: ReplicaId, epoch: number): number {
    const known = this.#known(peer);
    return known.epoch === epoch ? 0 : this.#write({ ...known, epoch });
  }

  #known(peer: ReplicaId): PeerProgress {
    const nothing = {
      expected: 1,
      checksum: 0,
      nextToSend: 1,
      stretch: NO_STRETCH,
      epoch: NO_EPOCH,
    };
    return this.#progress.get(peer) ?? { peer, ...nothing };
  }

  /** The peer's log is no more: it was reset, or the peer left. @returns 0 or a negated errno: then nothing has changed. */
  forget(peer: ReplicaId): number {
    const slot = this.#slots.get(peer);
    if (slot === undefined) return 0;
    this.#memory.buffer.fill(0);
    const result = this.#writeSlot(slot);
    if (result < 0) return result;
    this.#slots.delete(peer);
    this.#progress.delete(peer);
    this.#free.push(slot);
    return 0;
  }

  #write(progress: PeerProgress): number {
    const { peer } = progress;
    assert(peer > 0 && peer <= REPLICA_ID_MAX, `impossible peer ${peer}`);
    const known = this.#slots.get(peer);
    const slot = known ?? this.#free.at(-1) ?? this.#count;
    encode(this.#memory.buffer, progress);
    const result = this.#writeSlot(slot);
    if (result < 0) return result;
    if (known === undefined) {
      if (slot === this.#count) this.#count++;
      else this.#free.pop();
      this.#slots.set(peer, slot);
    }
    this.#progress.set(peer, progress);
    return 0;
  }

  #writeSlot(slot: number): number {
    const { address } = this.#memory;
    const result = this.disk.pwrite('lastRcvd.set', this.fd, address, SLOT_BYTES, offsetOf(slot));
    if (result < 0) return result;
    return result === SLOT_BYTES ? 0 : -E.ENOSPC;
  }
}

/** @returns undefined where the file is damaged; a later version is no damage and is thrown */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof IzoError && error.code === 'journal-damaged') return undefined;
    throw error;
  }
}

function isZero(buffer: Buffer): boolean {
  return buffer.subarray(0, SLOT_BYTES).every((byte) => byte === 0);
}

function offsetOf(slot: number): number {
  return HEADER_BYTES + slot * SLOT_BYTES;
}

function decodeInHand(header: Buffer): InHand | undefined {
  const peer = getU53(header, IN_HAND.peer);
  if (peer === 0) return undefined;
  return {
    peer,
    recno: getU53(header, IN_HAND.recno),
    logged: getU53(header, IN_HAND.logged),
  };
}

function encode(buffer: Buffer, progress: PeerProgress): void {
  buffer.fill(0);
  putU53(buffer, progress.peer, AT.peer);
  putU53(buffer, progress.expected, AT.expected);
  buffer.writeUInt32LE(progress.checksum, AT.checksum);
  putU53(buffer, progress.nextToSend, AT.nextToSend);
  putU53(buffer, progress.stretch.from, AT.from);
  putU53(buffer, progress.stretch.to, AT.to);
  putU53(buffer, progress.epoch, AT.epoch);
  seal(buffer, 0, SLOT_BYTES);
}

function decode(buffer: Buffer): PeerProgress | undefined {
  const peer = getU53(buffer, AT.peer);
  if (peer === 0 || !isSealed(buffer, 0, SLOT_BYTES)) return undefined;
  return {
    peer,
    expected: getU53(buffer, AT.expected),
    checksum: buffer.readUInt32LE(AT.checksum),
    nextToSend: getU53(buffer, AT.nextToSend),
    stretch: { from: getU53(buffer, AT.from), to: getU53(buffer, AT.to) },
    epoch: getU53(buffer, AT.epoch),
  };
}
