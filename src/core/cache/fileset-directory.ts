import { readdirSync } from 'node:fs';
import { formatLogs, openMeta, setDataJournalFlag } from '../journal/index.js';
import { IzoError } from '../model/errors.js';
import { META_DIRECTORY } from '../model/names.js';
import { E, errnoName, must } from '../system/errno.js';
import {
  AT_REMOVEDIR,
  close,
  mkdirat,
  O_CREAT,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  openat,
  renameat2,
  unlinkat,
} from '../system/files.js';
import { notConverted } from './not-formatted.js';

/**
 * The directory of a fileset that has no name yet, inside `.intermezzo`. `mkizofs -F FILE` of the HOWTO names none; the
 * first mount does. Its files have the +j flag already, which only mkizofs can give, and keep it when it is renamed.
 */
export const UNNAMED = '-unnamed-';

/** The files whose contents must reach the disk in order with the tree. */
export const LOG_NAMES = ['kml', 'lml', 'last_rcvd'];

/**
 * Makes what a fileset needs in a mounted file system, keeping what is there of it. `isNew`: mke2fs has just made it.
 * @returns the name of the fileset's directory in `.intermezzo`
 */
export function layOut(rootFd: number, fileset: string | undefined, isNew: boolean): string {
  const made = mkdirat(rootFd, META_DIRECTORY, 0o700);
  if (made !== -E.EEXIST) must('mkdir', made, META_DIRECTORY);
  // e2fsck makes it again when it needs it; an empty one only puzzles.
  if (isNew) unlinkat(rootFd, 'lost+found', AT_REMOVEDIR);
  const meta = must('open', openDirectory(rootFd, META_DIRECTORY), META_DIRECTORY);
  try {
    const names = readdirSync(`/proc/self/fd/${meta}`);
    const name = fileset ?? names.find((each) => each !== UNNAMED) ?? UNNAMED;
    if (name === UNNAMED) {
      makeUnnamed(meta);
      return name;
    }
    if (!names.includes(name) && names.includes(UNNAMED)) {
      must('rename', renameat2(meta, UNNAMED, meta, name), name);
    }
    formatLogs(rootFd, name);
    return name;
  } finally {
    close(meta);
  }
}

function openDirectory(dirfd: number, name: string): number {
  return openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/** The logs are of no bytes: the first mount, which knows the name, gives the replica its id. */
function makeUnnamed(meta: number): void {
  for (const name of [UNNAMED, `${UNNAMED}/stage`, `${UNNAMED}/conflicts`]) {
    const made = mkdirat(meta, name, 0o700);
    if (made !== -E.EEXIST) must('mkdir', made, name);
  }
  for (const name of LOG_NAMES) {
    const path = `${UNNAMED}/${name}`;
    close(must('open', openat(meta, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600), path));
  }
}

interface Claim {
  readonly fileset: string;
  /** For messages. */
  readonly device: string;
}

/**
 * Makes sure that the cache holds the fileset of that name, giving the name where it has none yet.
 * @throws IzoError not-formatted, wrong-fileset
 */
export function claimFileset(rootFd: number, { fileset, device }: Claim): void {
  const meta = openDirectory(rootFd, META_DIRECTORY);
  if (meta < 0) throw notConverted(device, fileset);
  try {
    const names = readdirSync(`/proc/self/fd/${meta}`);
    if (!names.includes(fileset)) takeUnnamed(meta, names, fileset, device);
    // Also completes what was made by hand (HOWTO: mkdir, touch kml last_rcvd).
    formatLogs(rootFd, fileset);
    flagLogs(rootFd, fileset);
  } finally {
    close(meta);
  }
}

/** Who mounts verifies the flag; where it may not be set from here, mkizofs --convert sets it. */
function flagLogs(rootFd: number, fileset: string): void {
  const directory = openMeta(rootFd, fileset);
  try {
    for (const name of LOG_NAMES) {
      const fd = openat(directory, name, O_RDONLY | O_NOFOLLOW);
      if (fd < 0) continue;
      setDataJournalFlag(fd);
      close(fd);
    }
  } finally {
    close(directory);
  }
}

function takeUnnamed(meta: number, names: string[], fileset: string, device: string): void {
  const others = names.filter((name) => name !== UNNAMED);
  if (others.length > 0) {
    throw new IzoError('wrong-fileset', `this cache holds ${others.join(', ')}, not ${fileset}`, {
      place: { file: device },
      remedy: `Mount it with fileset=${others[0] ?? ''}, or use the cache of ${fileset}.`,
    });
  }
  if (!names.includes(UNNAMED)) throw notConverted(device, fileset);
  const result = renameat2(meta, UNNAMED, meta, fileset);
  if (result === 0) return;
  throw new IzoError(
    'cache-unusable',
    `the fileset cannot be given its name: ${errnoName(result)}`,
    {
      place: { file: device },
      remedy: 'Mount the cache once where it may be written to.',
    },
  );
}
