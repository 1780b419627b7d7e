import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { decodeDevice } from '../system/device-numbers.js';
import { flock, LOCK_EX, LOCK_NB } from '../system/files.js';
import { cacheBehind } from './attach.js';

/** systemd-udevd holds a device it is looking at for a moment. */
const TRIES = 10;
const PAUSE_MS = 50;

/**
 * Takes a cache, or a lock file made for one, for this process. Two that used one cache would not notice: the kernel lets
 * a second mount share the first one's file system, in another mount namespace even unseen. Ends with the process at the
 * latest. @returns what releases it. @throws IzoError cache-busy
 */
export async function lockCache(path: string, cache = path): Promise<() => void> {
  const fd = path === cache ? openSync(fileBehind(cache), 'r') : openSync(path, 'a', 0o600);
  for (let tries = 0; tries < TRIES; tries++) {
    if (tries > 0) await sleep(PAUSE_MS);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) continue;
    return () => {
      closeSync(fd);
    };
  }
  const holder = holderOf(fd);
  closeSync(fd);
  const whom = holder === undefined ? 'another process' : `process ${holder}`;
  throw new IzoError('cache-busy', `this cache is in use by ${whom}`, {
    exit: EXIT.busy,
    place: { file: cache },
    remedy: 'See what is mounted: izo status; unmount it: izo umountizo',
  });
}

/** An image is the same cache by its own name and by that of its loop device. */
function fileBehind(cache: string): string {
  const image = cacheBehind(cache);
  return existsSync(image) ? image : cache;
}

/** proc_locks(5): `1: FLOCK ADVISORY WRITE 4711 fd:00:12345 0 EOF`. */
function holderOf(fd: number): string | undefined {
  const { dev, ino } = fstatSync(fd);
  const { major, minor } = decodeDevice(dev);
  const hex = (n: number): string => n.toString(16).padStart(2, '0');
  const file = `${hex(major)}:${hex(minor)}:${ino}`;
  const line = readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find((words) => words[1] === 'FLOCK' && words[5] === file);
  return line?.[4];
}
