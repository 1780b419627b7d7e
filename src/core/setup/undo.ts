import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { IzoError } from '../model/errors.js';

/** Takes back one thing that was done. */
export type Undo = () => void;

/**
 * Makes a directory, or the one above a file, with all that lead to it. @returns what removes those that were made
 * @throws IzoError no-directory
 */
export function makeDirectory(path: string, which: 'itself' | 'above' = 'itself'): Undo {
  const directory = which === 'above' ? dirname(path) : resolve(path);
  let first: string | undefined;
  try {
    first = makeAll(directory);
  } catch (cause) {
    const { code = 'unknown reason' } = cause as NodeJS.ErrnoException;
    throw new IzoError('no-directory', `the directory ${directory} cannot be made (${code})`, {
      place: { file: directory },
      remedy: 'Name another place, or make it yourself.',
      cause,
    });
  }
  return () => {
    if (first === undefined) return;
    for (let each = directory; each.length >= first.length; each = dirname(each)) rmdirSync(each);
  };
}

/**
 * Not by Node's `recursive`, which never ends where mkdir(2) says ENOENT below a directory that is there, as /proc does.
 * @returns the first that was made; undefined where all were there
 */
function makeAll(directory: string): string | undefined {
  const missing: string[] = [];
  let at = directory;
  while (!existsSync(at)) {
    missing.unshift(at);
    at = dirname(at);
  }
  // Where it is no directory this says so.
  if (missing.length === 0) readdirSync(at);
  for (const each of missing) mkdirSync(each, { mode: 0o755 });
  return missing[0];
}

export function removeFile(path: string): Undo {
  return () => rmSync(path, { force: true });
}
