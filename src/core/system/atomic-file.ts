import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A file to be replaced as a whole. */
export interface FileToWrite {
  path: string;
  data: string | Uint8Array;
  mode: number;
  /** Keep what was there before as `<path>.bak`. Never for secrets. */
  backup?: boolean;
}

interface Staged {
  temporary: string;
  path: string;
}

/** Makes the names in a directory durable: a rename is on disk only after its directory was synced. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Writes and syncs the contents under a name of their own, in the directory where they will live. */
function stage(path: string, data: string | Uint8Array, mode: number): Staged {
  const suffix = `${process.pid}.${randomBytes(6).toString('hex')}`;
  const temporary = join(dirname(path), `.${basename(path)}.${suffix}.tmp`);
  // Created readable by its owner only: a secret must not be open to others even for a moment.
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(fd, data);
    fchmodSync(fd, mode);
    fsyncSync(fd);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  return { temporary, path };
}

function stageBackup(path: string): Staged | undefined {
  let mode: number;
  try {
    mode = statSync(path).mode & 0o7777;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { temporary } = stage(path, readFileSync(path), mode);
  return { temporary, path: `${path}.bak` };
}

/**
 * Replaces several files. Whatever can fail for want of space or permission fails before the first of them changes;
 * then each is put in place by one rename, so that a reader sees the old or the new contents, never a part.
 */
export function writeFilesAtomically(files: readonly FileToWrite[]): void {
  const staged: Staged[] = [];
  let placed = 0;
  try {
    for (const file of files) {
      const backup = file.backup === true ? stageBackup(file.path) : undefined;
      if (backup !== undefined) staged.push(backup);
      staged.push(stage(file.path, file.data, file.mode));
    }
    for (const { temporary, path } of staged) {
      renameSync(temporary, path);
      placed += 1;
    }
  } finally {
    for (const { temporary } of staged.slice(placed)) rmSync(temporary, { force: true });
  }
  for (const directory of new Set(files.map((file) => dirname(file.path)))) {
    syncDirectory(directory);
  }
}

/** Replaces one file: temporary file, fsync, rename, fsync of the directory. */
export function writeFileAtomically(file: FileToWrite): void {
  writeFilesAtomically([file]);
}
