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
  /** A copy of what the path had before, to go back to; undefined where there was nothing. */
  before: string | undefined;
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
function writeAside(path: string, data: string | Uint8Array, mode: number): string {
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
  return temporary;
}

/** A copy of a file, beside `beside`; undefined where there is no such file. */
function copyAside(path: string, beside = path): string | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  return writeAside(beside, readFileSync(path), status.mode & 0o7777);
}

/** All that must be on disk before the first file changes. `staged` has what there is, also where this fails. */
function stageAll(files: readonly FileToWrite[], staged: Staged[]): void {
  for (const { path, data, mode, backup } of files) {
    const kept = `${path}.bak`;
    const copy = backup === true ? copyAside(path, kept) : undefined;
    if (copy !== undefined) {
      const backupStaged: Staged = { temporary: copy, path: kept, before: undefined };
      staged.push(backupStaged);
      backupStaged.before = copyAside(kept);
    }
    const file: Staged = { temporary: writeAside(path, data, mode), path, before: undefined };
    staged.push(file);
    file.before = copyAside(path);
  }
}

/** Puts back what the paths had before, the last one first. */
function undo(placed: readonly Staged[]): void {
  for (const { path, before } of [...placed].reverse()) {
    if (before === undefined) rmSync(path, { force: true });
    else renameSync(before, path);
  }
}

/**
 * Replaces several files: all of them, or, where one cannot be replaced, none. Whatever can fail for want of space or
 * permission fails before the first of them changes; then each is put in place by one rename, so that a reader sees the
 * old or the new contents, never a part.
 */
export function writeFilesAtomically(files: readonly FileToWrite[]): void {
  const staged: Staged[] = [];
  const placed: Staged[] = [];
  try {
    stageAll(files, staged);
    for (const each of staged) {
      renameSync(each.temporary, each.path);
      placed.push(each);
    }
  } catch (error) {
    undo(placed);
    throw error;
  } finally {
    for (const { temporary, before } of staged) {
      rmSync(temporary, { force: true });
      if (before !== undefined) rmSync(before, { force: true });
    }
  }
  for (const directory of new Set(files.map((file) => dirname(file.path)))) {
    syncDirectory(directory);
  }
}

/** Replaces one file: temporary file, fsync, rename, fsync of the directory. */
export function writeFileAtomically(file: FileToWrite): void {
  writeFilesAtomically([file]);
}
