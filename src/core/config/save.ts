import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { IzoError } from '../model/errors.js';
import { writeFilesAtomically, type FileToWrite } from '../system/atomic-file.js';

const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: 'Run the command as root.',
  EPERM: 'Run the command as root; `lsattr` shows files that were made immutable.',
  EROFS: 'Make the file system writable: mount -o remount,rw',
  ENOSPC: 'Make room on the file system.',
  EDQUOT: 'Make room on the file system.',
};

function isSecret(file: FileToWrite): boolean {
  return (file.mode & 0o077) === 0;
}

/** Secrets live in a directory of their own, closed to others; what is above it stays open. */
function makeDirectory(file: FileToWrite): void {
  const directory = dirname(file.path);
  if (!isSecret(file)) {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    return;
  }
  mkdirSync(dirname(directory), { recursive: true, mode: 0o755 });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
}

/** Writes files of the configuration, all or none of them. @throws IzoError `config-not-written` */
export function saveConfigFiles(files: readonly FileToWrite[]): void {
  try {
    for (const file of files) makeDirectory(file);
    if (files.length > 0) writeFilesAtomically(files);
  } catch (cause) {
    const { code = '', message, path } = cause as NodeJS.ErrnoException;
    const file = path ?? files[0]?.path ?? '';
    throw new IzoError('config-not-written', `the configuration could not be written: ${message}`, {
      place: { file },
      remedy: REMEDIES[code] ?? `Look at the directory with: ls -ld ${dirname(file)}`,
      cause,
    });
  }
}
