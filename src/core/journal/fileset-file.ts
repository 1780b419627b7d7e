import { IzoError } from '../model/errors.js';
import { formatReplicaId, parseReplicaId, type ReplicaId } from '../model/ids.js';
import { isValidHostName } from '../model/names.js';
import { E, must } from '../system/errno.js';
import {
  close,
  O_CREAT,
  O_NOFOLLOW,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  openat,
  pread,
  renameat2,
} from '../system/files.js';
import { Memory } from '../system/native.js';
import { realDisk, type Disk } from './disk.js';

const NAME = 'fileset';
const TEMPORARY = 'fileset.new';
const FORMAT = 1;
const FILE_BYTES_MAX = 4096;

/** Who this replica is: `.intermezzo/<fileset>/fileset`, JSON. */
export interface FilesetIdentity {
  readonly fileset: string;
  readonly replica: ReplicaId;
  /** When the replica got this id, ISO 8601. */
  readonly created: string;
}

/** @throws IzoError not-formatted, fileset-file; SystemError */
export function readFilesetFile(directory: number): FilesetIdentity {
  const fd = openat(directory, NAME, O_RDONLY | O_NOFOLLOW);
  if (fd === -E.ENOENT) throw notFormatted();
  must('open', fd, NAME);
  const memory = new Memory(FILE_BYTES_MAX);
  const length = pread(fd, memory.address, FILE_BYTES_MAX, 0);
  close(fd);
  must('pread', length, NAME);
  const identity = parse(memory.buffer.toString('utf8', 0, length));
  if (typeof identity !== 'string') return identity;
  throw new IzoError('fileset-file', `The file that names the fileset is bad: ${identity}.`, {
    place: { file: NAME },
    remedy: 'izo recovery',
  });
}

export function notFormatted(cause?: unknown): IzoError {
  return new IzoError('not-formatted', 'This cache has not been made a fileset yet.', {
    remedy: 'izo mkizofs -v FSET DEVICE',
    cause,
  });
}

function parse(text: string): FilesetIdentity | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (typeof value !== 'object' || value === null) return 'it is not a JSON object';
  const { format, fileset, replica, created } = value as Record<string, unknown>;
  if (format !== FORMAT) return `its format is ${String(format)}, this izo knows ${FORMAT}`;
  if (typeof fileset !== 'string' || !isValidHostName(fileset)) return 'it has no valid "fileset"';
  const id = typeof replica === 'string' ? parseReplicaId(replica) : undefined;
  if (id === undefined || id === 0) return 'it has no valid "replica"';
  if (typeof created !== 'string' || Number.isNaN(Date.parse(created)))
    return 'it has no valid "created"';
  return { fileset, replica: id, created };
}

/** Replaces the file as a whole: it is the old one or the new one, whatever happens. @throws SystemError */
export function writeFilesetFile(
  directory: number,
  identity: FilesetIdentity,
  disk: Disk = realDisk,
): void {
  const content = { format: FORMAT, ...identity, replica: formatReplicaId(identity.replica) };
  const memory = new Memory(FILE_BYTES_MAX);
  const length = memory.buffer.write(`${JSON.stringify(content, undefined, 2)}\n`);
  const flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
  const fd = must('open', openat(directory, TEMPORARY, flags, 0o600), TEMPORARY);
  try {
    const written = disk.pwrite('fileset.write', fd, memory.address, length, 0);
    must('write', written >= 0 && written < length ? -E.ENOSPC : written, TEMPORARY);
    must('fsync', disk.fsync('fileset.sync', fd), TEMPORARY);
  } finally {
    close(fd);
  }
  must('rename', renameat2(directory, TEMPORARY, directory, NAME), NAME);
  must('fsync', disk.fsync('fileset.sync', directory), NAME);
}
