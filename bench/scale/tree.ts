import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files in a directory, and directories in one: as source trees and mail have them. */
const FILES_EACH = 50;
const DIRECTORIES_EACH = 40;
/** One file of so many has contents: it is names and inodes that are many. */
const EMPTY = 10;

export function directoryOf(file: number): string {
  const number = Math.floor(file / FILES_EACH);
  return `part${Math.floor(number / DIRECTORIES_EACH)}/directory${number}`;
}

export function pathOf(file: number): string {
  return `${directoryOf(file)}/file${file}.txt`;
}

/** The same for everybody: `files` files in directories of directories. */
export function writeFiles(root: string, files: number): void {
  for (let file = 0; file < files; file++) {
    if (file % FILES_EACH === 0) mkdirSync(join(root, directoryOf(file)), { recursive: true });
    writeFileSync(join(root, pathOf(file)), file % EMPTY === 0 ? `contents of file ${file}\n` : '');
  }
}
