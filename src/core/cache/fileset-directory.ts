import { readdirSync } from 'node:fs';
import { formatLogs } from '../journal/index.js';
import { IzoError } from '../model/errors.js';
import { META_DIRECTORY } from '../model/names.js';
import { E } from '../system/errno.js';
import { close, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, openat, renameat2 } from '../system/files.js';
import { notFormatted } from './not-formatted.js';

/**
 * The directory of a fileset that has no name yet, inside `.intermezzo`. `mkizofs -F FILE` of the HOWTO names none; the
 * first mount does. Its files have the +j flag already, which only mkizofs can give, and keep it when it is renamed.
 */
export const UNNAMED = '-unnamed-';

/**
 * Makes sure that the cache holds the fileset of that name, giving the name where it has none yet.
 * @throws IzoError not-formatted, wrong-fileset
 */
export function claimFileset(rootFd: number, fileset: string, device: string): void {
  const meta = openat(rootFd, META_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (meta < 0) throw notFormatted('this cache has not been made a fileset yet', device, fileset);
  try {
    const names = readdirSync(`/proc/self/fd/${meta}`);
    if (!names.includes(fileset)) takeUnnamed(meta, names, fileset, device);
    // Also completes what was made by hand (HOWTO: mkdir, touch kml last_rcvd).
    formatLogs(rootFd, fileset);
  } finally {
    close(meta);
  }
}

function takeUnnamed(meta: number, names: string[], fileset: string, device: string): void {
  const others = names.filter((name) => name !== UNNAMED);
  if (others.length === 0 && names.includes(UNNAMED)) {
    const result = renameat2(meta, UNNAMED, meta, fileset);
    if (result < 0 && result !== -E.ENOENT) {
      throw new IzoError('cache-unusable', 'the fileset cannot be given its name', {
        place: { file: device },
      });
    }
    return;
  }
  if (others.length === 0) {
    throw notFormatted('this cache has not been made a fileset yet', device, fileset);
  }
  throw new IzoError('wrong-fileset', `this cache holds ${others.join(', ')}, not ${fileset}`, {
    place: { file: device },
    remedy: `Mount it with fileset=${others[0] ?? ''}, or use the cache of ${fileset}.`,
  });
}
