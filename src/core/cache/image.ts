import { closeSync, openSync, rmSync, statSync, truncateSync } from 'node:fs';
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
  const { code } = cause as NodeJS.ErrnoException;
  return new IzoError('no-image', `the image cannot be made (${code ?? 'unknown reason'})`, {
    place: { file: path },
    cause,
  });
}
