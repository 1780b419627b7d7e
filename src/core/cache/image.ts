import { closeSync, openSync, rmSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';

/**
 * Makes a sparse file for a cache; an empty file that is there will do. @returns what undoes it.
 * @throws IzoError exists: what is there is not overwritten; no-image
 */
export function createImage(path: string, size: number): () => void {
  const wasThere = open(path);
  const undo = (): void => {
    if (wasThere) truncateSync(path);
    else rmSync(path, { force: true });
  };
  try {
    truncateSync(path, size);
    return undo;
  } catch (cause) {
    undo();
    throw failed(path, cause);
  }
}

/** Why a file cannot be made, and what helps. */
const TROUBLE: Readonly<Record<string, { what: string; remedy: string }>> = {
  ENOENT: { what: 'its directory does not exist', remedy: 'Make it: mkdir -p DIRECTORY' },
  ENOTDIR: { what: 'what is above it is not a directory', remedy: 'Name another place.' },
  EROFS: { what: 'the disk is mounted read-only', remedy: 'Name a place on another disk.' },
  EFBIG: { what: 'the disk takes no file of that size', remedy: 'Give a smaller --size.' },
  ENOSPC: { what: 'the disk is full', remedy: 'Make room, or name a place on another disk.' },
};

/** @returns whether there was such a file, which is empty then */
function open(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600));
    return false;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw failed(path, cause);
  }
  if (isEmptyFile(path)) return true;
  throw new IzoError('exists', 'there is such a file already', {
    exit: EXIT.refused,
    place: { file: path },
    remedy: 'Leave --size out to format that one, or name another.',
  });
}

function isEmptyFile(path: string): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  return status?.isFile() === true && status.size === 0;
}

function failed(path: string, cause: unknown): IzoError {
  const { code = 'unknown reason' } = cause as NodeJS.ErrnoException;
  const { what, remedy } = TROUBLE[code] ?? { what: code, remedy: 'Name another file.' };
  return new IzoError('no-image', `the image cannot be made: ${what}`, {
    place: { file: path },
    remedy: remedy.replace('DIRECTORY', dirname(path)),
    cause,
  });
}
