import type { Position } from '../model/position.js';
import type { Recno, ReplicaId } from '../model/ids.js';
import { must } from '../system/errno.js';
import { Memory } from '../system/native.js';
import { getU53, putU53 } from './bytes.js';
import type { Disk } from './disk.js';
import { damaged, HEADER_BYTES, putHeader, readHeader, startHeader } from './log-file.js';

const MAGIC = 'izoKML\n';
const AT = { firstRecno: 24, firstOffset: 32, baseChecksum: 40, leased: 44 } as const;

export interface KmlHeader {
  readonly log: ReplicaId;
  /** Number of the first record that is still in the file, or will be. */
  readonly firstRecno: Recno;
  /** Where that record begins, in bytes; what is before it has been trimmed. */
  readonly firstOffset: number;
  /** Checksum of the record before the first; 0 where there never was one. */
  readonly baseChecksum: number;
  /**
   * Numbers up to this one may have been given to records and told to peers; durable before any of them is. Where a crash
   * loses the last records, the numbers go on behind it.
   */
  readonly leased: Recno;
}

const memory = new Memory(HEADER_BYTES);

export function newKmlHeader(log: ReplicaId): KmlHeader {
  return { log, firstRecno: 1, firstOffset: HEADER_BYTES, baseChecksum: 0, leased: 0 };
}

/** The position before the first record. */
export function basePosition(header: KmlHeader): Position {
  return { log: header.log, recno: header.firstRecno - 1, checksum: header.baseChecksum };
}

/** @throws SystemError */
export function writeKmlHeader(disk: Disk, fd: number, header: KmlHeader): void {
  must('kml.header', putKmlHeader(disk, fd, header));
}

/** @returns 0 or a negated errno. */
export function putKmlHeader(disk: Disk, fd: number, header: KmlHeader): number {
  startHeader(memory.buffer, MAGIC, header.log);
  putU53(memory.buffer, header.firstRecno, AT.firstRecno);
  putU53(memory.buffer, header.firstOffset, AT.firstOffset);
  memory.buffer.writeUInt32LE(header.baseChecksum, AT.baseChecksum);
  putU53(memory.buffer, header.leased, AT.leased);
  return putHeader(disk, 'kml.header', fd, memory);
}

/** @throws IzoError journal-damaged, journal-version; SystemError */
export function readKmlHeader(fd: number): KmlHeader {
  const log = readHeader(fd, 'kml', MAGIC, memory);
  const { buffer } = memory;
  const header = {
    log,
    firstRecno: getU53(buffer, AT.firstRecno),
    firstOffset: getU53(buffer, AT.firstOffset),
    baseChecksum: buffer.readUInt32LE(AT.baseChecksum),
    leased: getU53(buffer, AT.leased),
  };
  if (header.firstRecno < 1 || header.firstOffset < HEADER_BYTES || header.firstOffset % 8 !== 0) {
    throw damaged('kml', 0, 'its header says what cannot be');
  }
  return header;
}
