import { statSync } from 'node:fs';
import { KmlReader } from '../journal/index.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { listMounted } from '../presto/mounting/mounted-state.js';
import { withCache } from '../recovery/with-cache.js';
import { must } from '../system/errno.js';
import { AT_FDCWD, close, O_DIRECTORY, O_RDONLY, openat } from '../system/files.js';
import { findCache } from './find-cache.js';
import { selectMounted } from './select-mounted.js';

/** A log that a command looks into, and what is known of where it is. */
export interface OpenKml {
  readonly reader: KmlReader;
  /** undefined: a file by itself. */
  readonly fileset: string | undefined;
  /** A presto may append to it. */
  readonly isLive: boolean;
}

/**
 * Opens the log that a user means: that of a mounted fileset, by its name, mount point or cache; a kml file; or that of a
 * cache that is not mounted, which is for as long as `work` takes.
 * @throws IzoError not-mounted, which-fileset, which-cache, cache-busy, journal-damaged ...; SystemError
 */
export async function withKml<T>(
  wanted: string | undefined,
  runDir: string,
  work: (log: OpenKml) => T | Promise<T>,
): Promise<T> {
  const file = wanted === undefined ? undefined : openLogFile(wanted);
  if (file !== undefined) return using({ reader: file, fileset: undefined, isLive: false }, work);
  if (wanted === undefined || isMounted(wanted, runDir)) return using(openMounted(wanted), work);
  const cache = await findCache(wanted, runDir).catch((error: unknown) => {
    if (error instanceof IzoError && error.exit === EXIT.usage) return undefined;
    throw error;
  });
  // Which says that nothing of that name is mounted.
  if (cache === undefined) return using(openMounted(wanted), work);
  const { device, fileset } = cache;
  // The cache is let go of when `work` returns, so this must be the end of it.
  const finished = await withCache({ device, fileset, runDir }, ({ root }) => {
    const reader = KmlReader.openFileset(root, fileset);
    try {
      const result = work({ reader, fileset, isLive: false });
      if (result instanceof Promise)
        throw new IzoError('not-mounted', 'the fileset is not mounted');
      return { result };
    } finally {
      reader.close();
    }
  });
  return finished.result;
}

async function using<T>(log: OpenKml, work: (log: OpenKml) => T | Promise<T>): Promise<T> {
  try {
    return await work(log);
  } finally {
    log.reader.close();
  }
}

function isMounted(wanted: string, runDir: string): boolean {
  return listMounted(runDir).some((state) =>
    [state.fileset, state.mountPoint, state.device].includes(wanted.replace(/(?<=.)\/$/, '')),
  );
}

function openMounted(wanted: string | undefined): OpenKml {
  const { lowerPath, fileset } = selectMounted(wanted, 'Mount the fileset, or name the kml file.');
  const root = must('open', openat(AT_FDCWD, lowerPath, O_RDONLY | O_DIRECTORY), lowerPath);
  try {
    return { reader: KmlReader.openFileset(root, fileset), fileset, isLive: true };
  } finally {
    close(root);
  }
}

/** @returns undefined where there is no such file, or it is no log: it may be the image of a cache */
function openLogFile(path: string): KmlReader | undefined {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const fd = must('open', openat(AT_FDCWD, path, O_RDONLY), path);
  try {
    return new KmlReader(fd);
  } catch (error) {
    close(fd);
    if (error instanceof IzoError && error.code === 'journal-damaged') return undefined;
    throw error;
  }
}
