import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
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
    first = mkdirSync(directory, { recursive: true, mode: 0o755 });
  } catch (cause) {
    const { code = 'unknown reason' } = cause as NodeJS.ErrnoException;
    throw new IzoError('no-directory', `the directory ${directory} cannot be made (${code})`, {
      place: { file: directory },
      cause,
    });
  }
  return () => {
    if (first === undefined) return;
    for (let each = directory; each.length >= first.length; each = dirname(each)) rmdirSync(each);
  };
}

export function removeFile(path: string): Undo {
  return () => rmSync(path, { force: true });
}
