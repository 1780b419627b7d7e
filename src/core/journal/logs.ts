import { randomBytes } from 'node:crypto';
import { IzoError } from '../model/errors.js';
import { formatReplicaId, type ReplicaId } from '../model/ids.js';
import { isValidHostName, META_DIRECTORY } from '../model/names.js';
import type { Epoch } from '../model/position.js';
import { E, must } from '../system/errno.js';
import {
  close,
  mkdirat,
  O_CREAT,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  openat,
} from '../system/files.js';
import { setDataJournalFlag } from './data-journal.js';
import { realDisk, type Disk } from './disk.js';
import { Epochs, EPOCHS_FILE, readEpochs } from './epochs.js';
import {
  notFormatted,
  readFilesetFile,
  writeFilesetFile,
  type FilesetIdentity,
} from './fileset-file.js';
import { Kml } from './kml.js';
import { newKmlHeader, readKmlHeader, writeKmlHeader } from './kml-header.js';
import type { Visit } from './kml-scan.js';
import { LastRcvd } from './last-rcvd.js';
import { Lml } from './lml.js';
import { ofFileset, sizeOf } from './log-file.js';
import { Reserve } from './reserve.js';
import { DIRECTORIES, refuseStrangers } from './strangers.js';

const FILES = { kml: 'kml', lml: 'lml', lastRcvd: 'last_rcvd' } as const;

/** A fileset's files on one cache, open for the one process that writes them. */
export interface FilesetLogs {
  readonly identity: FilesetIdentity;
  /** The same as `identity.replica`. */
  readonly replica: ReplicaId;
  /** Descriptor of `.intermezzo/<fileset>`. */
  readonly directory: number;
  readonly kml: Kml;
  readonly lml: Lml;
  readonly lastRcvd: LastRcvd;
  readonly epochs: Epochs;
  /** The KML was found empty, without even a header: somebody has reset it, and the replica has a new id. */
  readonly wasReset: boolean;
  close(): void;
}

/** 1 to 2^48 - 1, at random: nobody is asked, and no two replicas ever meet with the same one. */
export function newReplicaId(): ReplicaId {
  return randomBytes(6).readUIntBE(0, 6) || newReplicaId();
}

/** Opens `.intermezzo/<fileset>`. `root`: descriptor of the lower tree. @throws IzoError not-formatted; SystemError */
export function openMeta(root: number, fileset: string): number {
  assertName(fileset);
  const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  const fd = openat(root, `${META_DIRECTORY}/${fileset}`, flags);
  if (fd === -E.ENOENT) throw notFormatted();
  return must('open', fd, `${META_DIRECTORY}/${fileset}`);
}

/** The epochs of a fileset's log. `root`: descriptor of the lower tree. @throws IzoError not-formatted; SystemError */
export function epochsOf(root: number, fileset: string, log: ReplicaId): Epoch[] {
  const directory = openMeta(root, fileset);
  try {
    return readEpochs(directory, log);
  } finally {
    close(directory);
  }
}

function assertName(fileset: string): void {
  if (isValidHostName(fileset)) return;
  throw new IzoError('fileset-name', `"${fileset}" cannot be the name of a fileset.`, {
    remedy: 'Use letters, digits, dots, hyphens and underscores; begin with a letter or digit.',
  });
}

/**
 * Opens the logs of a fileset for writing. A log of no bytes, made by touch(1) or emptied by hand, is an empty log; an
 * emptied KML makes this a new replica, so that peers notice.
 * @param onScan called for each record where the whole KML has to be read
 * @throws IzoError not-formatted, fileset-file, fileset-name, journal-damaged, journal-version, journal-mismatch; SystemError
 */
export function openLogs(
  root: number,
  fileset: string,
  disk: Disk = realDisk,
  onScan?: Visit,
): FilesetLogs {
  const opened = [openMeta(root, fileset)];
  try {
    return ofFileset(fileset, () => openAll(opened, fileset, disk, onScan));
  } catch (error) {
    opened.forEach(close);
    throw error;
  }
}

function openAll(opened: number[], fileset: string, disk: Disk, onScan?: Visit): FilesetLogs {
  const directory = opened[0] ?? -1;
  const open = (name: string): number => {
    const fd = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    opened.push(must('open', fd, name));
    return fd;
  };
  refuseStrangers(directory);
  makeDirectories(directory, DIRECTORIES);
  const before = readFilesetFile(directory);
  if (before.fileset !== fileset) {
    throw mismatch(`the fileset in directory ${fileset} is named ${before.fileset}`);
  }
  const files = { kml: open(FILES.kml), lml: open(FILES.lml), lastRcvd: open(FILES.lastRcvd) };
  const wasReset = sizeOf(files.kml) === 0;
  const identity = wasReset ? reset(directory, files.kml, before, disk) : before;
  const { replica } = identity;
  const reserve = Reserve.open(directory, disk, opened);
  const kml = Kml.open(files.kml, disk, {
    reserve,
    directory,
    ...(onScan === undefined ? {} : { onScan }),
  });
  if (kml.header.log !== replica) {
    throw mismatch(
      `the kml is of replica ${formatReplicaId(kml.header.log)}, ` +
        `the fileset file of ${formatReplicaId(replica)}`,
    );
  }
  const begun = { from: kml.next, after: kml.end.recno };
  const epochs = Epochs.begin(open(EPOCHS_FILE), begun, replica, disk);
  if (sizeOf(files.lml) === 0) Lml.format(files.lml, replica, disk);
  if (sizeOf(files.lastRcvd) === 0) LastRcvd.format(files.lastRcvd, replica, disk);
  return {
    identity,
    replica,
    directory,
    kml,
    lml: Lml.open(files.lml, disk),
    lastRcvd: LastRcvd.open(files.lastRcvd, replica, disk),
    epochs,
    wasReset,
    close: () => {
      opened.splice(0).forEach(close);
    },
  };
}

/** The name comes first: interrupted after it, the KML is still empty and everything is done again. */
function reset(
  directory: number,
  kml: number,
  before: FilesetIdentity,
  disk: Disk,
): FilesetIdentity {
  const identity = { ...before, replica: newReplicaId(), created: new Date().toISOString() };
  writeFilesetFile(directory, identity, disk);
  writeKmlHeader(disk, kml, newKmlHeader(identity.replica));
  return identity;
}

/** Files that do not belong together: one was put back from a backup, or copied from another cache. */
function mismatch(what: string): IzoError {
  return new IzoError('journal-mismatch', `The logs do not belong together: ${what}.`, {
    remedy: 'izo recovery',
  });
}

/**
 * Makes what a fileset needs under `.intermezzo` and keeps what is there, so that it can be called again, or after the
 * manual procedure of 2001 (mkdir, touch kml last_rcvd). @throws IzoError fileset-name; SystemError
 */
export function formatLogs(root: number, fileset: string, disk: Disk = realDisk): FilesetIdentity {
  assertName(fileset);
  const meta = `${META_DIRECTORY}/${fileset}`;
  makeDirectories(root, [META_DIRECTORY, meta, ...DIRECTORIES.map((name) => `${meta}/${name}`)]);
  const directory = openMeta(root, fileset);
  // Files made in it from now on inherit the flag; the directories made before do not, nor do contents staged there. Not
  // everybody may set it: mkizofs does so on the unmounted device, and mounting verifies it.
  setDataJournalFlag(directory);
  try {
    if (!exists(directory)) writeFilesetFile(directory, firstIdentity(directory, fileset), disk);
    // Who opens logs that are there mends them, and has to say so.
    if (Object.values(FILES).every((name) => hasBytes(directory, name))) {
      return ofFileset(fileset, () => readFilesetFile(directory));
    }
  } finally {
    close(directory);
  }
  const logs = openLogs(root, fileset, disk);
  logs.close();
  return logs.identity;
}

/** Those that are not there yet. */
function makeDirectories(at: number, paths: readonly string[]): void {
  for (const path of paths) {
    const made = mkdirat(at, path, 0o700);
    if (made !== -E.EEXIST) must('mkdir', made, path);
  }
}

function hasBytes(directory: number, name: string): boolean {
  const fd = openat(directory, name, O_RDONLY | O_NOFOLLOW);
  if (fd < 0) return false;
  const size = sizeOf(fd);
  close(fd);
  return size > 0;
}

function exists(directory: number): boolean {
  const fd = openat(directory, 'fileset', O_RDONLY | O_NOFOLLOW);
  if (fd === -E.ENOENT) return false;
  close(must('open', fd, 'fileset'));
  return true;
}

/** A KML with records, whose fileset file got lost, says itself which replica it is of. */
function firstIdentity(directory: number, fileset: string): FilesetIdentity {
  const created = new Date().toISOString();
  const fd = openat(directory, FILES.kml, O_RDONLY | O_NOFOLLOW);
  if (fd < 0) return { fileset, replica: newReplicaId(), created };
  try {
    const replica = sizeOf(fd) === 0 ? newReplicaId() : readKmlHeader(fd).log;
    return { fileset, replica, created };
  } finally {
    close(fd);
  }
}
