import { IzoError } from '../model/errors.js';
import { META_DIRECTORY } from '../model/names.js';
import type { ReplicaId } from '../model/ids.js';
import { Attr } from '../system/attr.js';
import { must } from '../system/errno.js';
import { pread, stat } from '../system/files.js';
import type { Memory } from '../system/native.js';
import { getU53, isSealed, putU53, seal } from './bytes.js';
import type { Disk, DiskOperation } from './disk.js';

/** What the headers of the three log files have in common; docs/journal.md has the tables. */
export const HEADER_BYTES = 64;
const FORMAT_VERSION = 1;
const AT = { magic: 0, version: 8, length: 12, log: 16 } as const;
const MAGIC_BYTES = 8;

/** What is about the files themselves. */
const CODES = ['journal-damaged', 'journal-version', 'journal-mismatch'];

const attr = new Attr();

/** @throws SystemError */
export function sizeOf(fd: number): number {
  must('statx', stat(fd, '', attr));
  return attr.size;
}

/** Puts the common part of a header at the start of `buffer`, the rest zeroed; `seal` it when it is complete. */
export function startHeader(buffer: Buffer, magic: string, log: ReplicaId): void {
  buffer.fill(0, 0, HEADER_BYTES);
  buffer.write(magic, AT.magic, 'latin1');
  buffer.writeUInt32LE(FORMAT_VERSION, AT.version);
  buffer.writeUInt32LE(HEADER_BYTES, AT.length);
  putU53(buffer, log, AT.log);
}

/** Seals the header and writes it. @throws SystemError */
export function writeHeader(
  disk: Disk,
  operation: DiskOperation,
  fd: number,
  memory: Memory,
): void {
  must(operation, putHeader(disk, operation, fd, memory));
}

/** Seals the header and writes it. @returns 0 or a negated errno. */
export function putHeader(
  disk: Disk,
  operation: DiskOperation,
  fd: number,
  memory: Memory,
): number {
  seal(memory.buffer, 0, HEADER_BYTES);
  // A header that is cut short has no checksum: it is found out when the log is next opened.
  return Math.min(0, disk.pwrite(operation, fd, memory.address, HEADER_BYTES, 0));
}

/**
 * Reads the header of `file` into `memory`. @returns the id of the log.
 * @throws IzoError journal-damaged, journal-version; SystemError
 */
export function readHeader(fd: number, file: string, magic: string, memory: Memory): ReplicaId {
  const { buffer } = memory;
  // Its owner may be writing it just now; then it is whole the next time.
  if (!isHeader(fd, file, magic, memory) && !isHeader(fd, file, magic, memory)) {
    throw damaged(file, 0, 'its header cannot be read');
  }
  const version = buffer.readUInt32LE(AT.version);
  if (version !== FORMAT_VERSION) {
    throw new IzoError(
      'journal-version',
      `${file} has format ${version}, this izo knows ${FORMAT_VERSION}.`,
      {
        remedy: 'Use the izo that wrote it, or a newer one.',
      },
    );
  }
  return getU53(buffer, AT.log);
}

function isHeader(fd: number, file: string, magic: string, memory: Memory): boolean {
  const length = must('pread', pread(fd, memory.address, HEADER_BYTES, 0), file);
  const found = memory.buffer.toString('latin1', AT.magic, AT.magic + MAGIC_BYTES);
  return (
    length === HEADER_BYTES &&
    found === magic.padEnd(MAGIC_BYTES, '\0') &&
    isSealed(memory.buffer, 0, HEADER_BYTES)
  );
}

/** The error for a log that must not be replicated from. `offset` is in bytes from the start of the file. */
export function damaged(file: string, offset: number, reason: string): IzoError {
  return new IzoError('journal-damaged', `${file} is damaged at byte ${offset}: ${reason}.`, {
    remedy: 'izo recovery',
  });
}

/** Runs `act`; an error about one of the fileset's files says whose it is. */
export function ofFileset<T>(fileset: string | undefined, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (fileset === undefined || !(error instanceof IzoError)) throw error;
    if (error.place !== undefined || !CODES.includes(error.code)) throw error;
    const { code, message, exit, remedy, cause } = error;
    throw new IzoError(code, message, {
      exit,
      cause,
      place: { file: `${META_DIRECTORY}/${fileset}` },
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}
