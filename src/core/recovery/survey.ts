import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  examineKml,
  LastRcvd,
  Lml,
  readFilesetFile,
  strangersIn,
  type FilesetIdentity,
  type KmlFindings,
  type LmlEntry,
  type PeerProgress,
} from '../journal/index.js';
import { IzoError } from '../model/errors.js';
import { NO_STAMP, sameStamp, type Recno, type ReplicaId, type Stamp } from '../model/ids.js';
import { must } from '../system/errno.js';
import { close, O_NOFOLLOW, O_RDONLY, openat } from '../system/files.js';
import { generationOf } from '../system/handles.js';
import { walkLower, type Found } from './lower-walk.js';

/** A log file that is not as it should be: why, in the words of whoever could not read it. */
export interface Unreadable {
  readonly fault: string;
}

export function isUnreadable(found: object): found is Unreadable {
  return 'fault' in found;
}

/** What is in the lower tree, as far as the logs have to agree with it. */
export interface TreeFindings {
  readonly objects: number;
  /** Objects with attributes of chattr(1), which only their identity has. */
  readonly flagged: number;
  /** A tree whose root has an identity has been journaled. */
  readonly isJournaled: boolean;
  /** By replica: the highest number of an update that an object of the tree comes from. */
  readonly newest: ReadonlyMap<ReplicaId, Recno>;
  /** Regular files that were written to and have no CLOSE yet, as the LML would note them. */
  readonly unclosed: readonly LmlEntry[];
}

/** All that is known of a fileset's cache that nobody has mounted. */
export interface Survey {
  /** Names that stand for no file, or no directory, as they should; taken for missing in what follows. */
  readonly strangers: readonly string[];
  readonly fileset: FilesetIdentity | Unreadable;
  readonly kml: KmlFindings | Unreadable;
  readonly lml: { readonly damaged: number; readonly leftovers: number } | Unreadable;
  readonly lastRcvd: {
    readonly log: ReplicaId | undefined;
    readonly peers: readonly PeerProgress[];
    readonly unreadable: number;
    readonly isEmpty: boolean;
  };
  readonly tree: TreeFindings;
}

/**
 * Looks at logs and tree. Changes nothing. `root`, `meta`: descriptors of the lower tree and of its `.intermezzo/<fileset>`.
 * @throws IzoError journal-version: another izo has to do it; SystemError
 */
export function survey(root: number, meta: number): Survey {
  const strangers = strangersIn(meta);
  const inLog = <T>(name: string, read: (fd: number) => T): T | Unreadable =>
    orFault(() => {
      if (strangers.includes(name)) throw missing(name);
      return inFile(meta, name, read);
    });
  return {
    strangers,
    fileset: inLog('fileset', () => readFilesetFile(meta)),
    kml: inLog('kml', examineKml),
    lml: inLog('lml', examineLml),
    lastRcvd: lastRcvdOf(inLog('last_rcvd', (fd) => LastRcvd.examine(fd))),
    tree: surveyTree(root),
  };
}

const DAMAGE = ['journal-damaged', 'fileset-file', 'not-formatted', 'no-log'];

function orFault<T>(read: () => T): T | Unreadable {
  try {
    return read();
  } catch (error) {
    if (error instanceof IzoError && DAMAGE.includes(error.code)) return { fault: error.message };
    throw error;
  }
}

function inFile<T>(meta: number, name: string, read: (fd: number) => T): T {
  const size = statSync(join(`/proc/self/fd/${meta}`, name), { throwIfNoEntry: false })?.size;
  if (size === undefined) throw missing(name);
  if (size === 0) throw new IzoError('no-log', `${name} is empty`);
  const fd = must('open', openat(meta, name, O_RDONLY | O_NOFOLLOW), name);
  try {
    return read(fd);
  } finally {
    close(fd);
  }
}

function missing(name: string): IzoError {
  return new IzoError('no-log', `${name} is missing`);
}

function examineLml(fd: number): { damaged: number; leftovers: number } {
  const lml = Lml.open(fd);
  return { damaged: lml.damaged.length, leftovers: lml.leftovers().length };
}

function lastRcvdOf(read: ReturnType<typeof LastRcvd.examine> | Unreadable): Survey['lastRcvd'] {
  if (!isUnreadable(read)) return { ...read, isEmpty: false };
  return { log: undefined, peers: [], unreadable: 0, isEmpty: true };
}

function surveyTree(root: number): TreeFindings {
  const newest = new Map<ReplicaId, Recno>();
  const unclosed: LmlEntry[] = [];
  let objects = -1;
  let flagged = 0;
  let isJournaled = false;
  const note = ({ replica, recno }: Stamp): void => {
    if (recno > (newest.get(replica) ?? 0)) newest.set(replica, recno);
  };
  walkLower(root, (found) => {
    objects++;
    const { identity, path } = found;
    if (path === '') isJournaled = identity !== undefined;
    if (identity === undefined) return;
    const { object, content, attributes } = identity;
    if (identity.flags !== 0) flagged++;
    if (path !== '') note({ replica: object.replica, recno: object.number });
    note(content);
    note(attributes);
    if (found.attr.isRegular && sameStamp(content, NO_STAMP))
      unclosed.push(asNote(found, identity));
  });
  newest.delete(NO_STAMP.replica);
  return { objects, flagged, isJournaled, newest, unclosed };
}

function asNote(
  { directory, name, path, attr }: Found,
  { object }: { object: LmlEntry['object'] },
): LmlEntry {
  const fd = must('open', openat(directory, name, O_RDONLY | O_NOFOLLOW), path);
  const handle = { ino: attr.ino, generation: Math.max(0, generationOf(fd)) };
  close(fd);
  return { state: 'writing', object, stamp: NO_STAMP, handle, path };
}
