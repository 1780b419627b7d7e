import { ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { flock, LOCK_EX, LOCK_NB } from './files.js';

/**
 * Takes a lock that ends with this process, however it ends. @returns undefined when it is ours, or the pid of who has it
 * (0 where that is not known).
 */
export function takeLock(path: string): number | undefined {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fd = openSync(path, 'a+', 0o600);
  if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
    return Number.isNaN(pid) ? 0 : pid;
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`);
  return undefined;
}
