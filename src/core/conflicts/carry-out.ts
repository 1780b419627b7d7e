import {
  closeSync,
  copyFileSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  type BigIntStats,
  type PathLike,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { displayBytes, splitPath } from '../model/names.js';
import { syncDirectory } from '../system/atomic-file.js';
import { run } from '../system/processes.js';
import type { Action } from './resolution.js';

/** Where the actions of a resolution happen: through the mount, so that they are updates like any others. */
export interface Workplace {
  readonly mountPoint: string;
  /** The conflict's directory in the store. */
  readonly directory: string;
  readonly id: string;
}

/**
 * What the file at `path` is like, so that a later change of it is noticed; null where there is none.
 * @throws IzoError conflict-kind, where it is neither file nor symbolic link
 */
export function fingerprint({ mountPoint }: Workplace, path: string): string | null {
  const stats = lookAt(mountPoint, path);
  return stats === undefined ? null : `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}

function lookAt(mountPoint: string, path: string): BigIntStats | undefined {
  const stats = lstatSync(at(mountPoint, path), { bigint: true, throwIfNoEntry: false });
  if (stats === undefined || stats.isFile() || stats.isSymbolicLink()) return stats;
  const what = stats.isDirectory() ? 'a directory' : 'a special file';
  throw new IzoError('conflict-kind', `${displayBytes(path)} is ${what}`, {
    exit: EXIT.refused,
    remedy: 'Bring the two versions together by hand, then: izo conflicts resolve --keep both ID',
  });
}

/** @throws IzoError conflict-gone, conflict-kind, where something is not as it was when the conflict was merged */
export function checkActions(place: Workplace, actions: readonly Action[]): void {
  for (const action of actions) {
    const needed =
      action.type === 'move' ? action.from : action.type === 'restore' ? undefined : action.path;
    if (needed === undefined) continue;
    if (lookAt(place.mountPoint, needed) !== undefined) continue;
    throw new IzoError('conflict-gone', `${displayBytes(needed)} is not there any more`, {
      exit: EXIT.refused,
      remedy: `Look at it: izo conflicts show ${place.id}`,
    });
  }
}

export async function carryOut(place: Workplace, action: Action): Promise<void> {
  const { mountPoint, directory } = place;
  switch (action.type) {
    case 'keep':
      await keep(at(mountPoint, action.path), join(directory, action.as));
      return;
    case 'remove':
      rmSync(at(mountPoint, action.path), { force: true });
      return;
    case 'move':
      // Missing where an interrupted resolution has moved it already.
      if (lookAt(mountPoint, action.from) === undefined) return;
      renameSync(at(mountPoint, action.from), at(mountPoint, action.to));
      return;
    case 'contents':
      await replaceContents(place, join(directory, action.from), action.path);
      return;
    case 'restore':
      await put(place, Buffer.from(join(directory, action.from)), action.path);
      return;
  }
}

/**
 * The copy is whole and on the disk before it has its name, and is never made twice: what is in its place after an
 * interruption may be another version.
 */
async function keep(from: Buffer, to: string): Promise<void> {
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) return;
  const temporary = `${to}.new`;
  await copy(from, Buffer.from(temporary));
  if (lstatSync(temporary).isFile()) syncFile(temporary);
  renameSync(temporary, to);
  syncDirectory(dirname(to));
}

function syncFile(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/** What an earlier resolution, undone since, has kept is no use any more: it is in the tree. */
export function forgetKept({ directory }: Workplace): void {
  for (const name of ['standing', 'beside']) rmSync(join(directory, name), { force: true });
}

/** Readers have one version or the other. A file with several names keeps them, and is written in place. */
async function replaceContents(place: Workplace, stored: string, path: string): Promise<void> {
  const target = at(place.mountPoint, path);
  if ((lookAt(place.mountPoint, path)?.nlink ?? 1n) > 1n) {
    copyFileSync(stored, target);
    return;
  }
  const temporary = temporaryBeside(place, path);
  await copy(target, temporary);
  copyFileSync(stored, temporary);
  renameSync(temporary, target);
}

async function put(place: Workplace, stored: Buffer, path: string): Promise<void> {
  const temporary = temporaryBeside(place, path);
  await copy(stored, temporary);
  renameSync(temporary, at(place.mountPoint, path));
}

function temporaryBeside({ mountPoint, id }: Workplace, path: string): Buffer {
  const { directory } = splitPath(path);
  const name = `.izo-resolve-${id}`;
  return at(mountPoint, directory === '' ? name : `${directory}/${name}`);
}

/** With owner, times, attributes, ACLs and holes; a link as a link. */
async function copy(from: Buffer, to: Buffer): Promise<void> {
  rmSync(to, { force: true });
  await run('cp', ['-a', '-T', '--', text(from), text(to)]);
}

/** Arguments of programs are text: what is no UTF-8 cannot be given to one. @throws IzoError conflict-name */
function text(path: Buffer): string {
  const value = path.toString('utf8');
  if (Buffer.from(value, 'utf8').equals(path)) return value;
  throw new IzoError('conflict-name', 'its name is no UTF-8', {
    exit: EXIT.refused,
    remedy: 'Bring the versions together by hand, then: izo conflicts resolve --keep both ID',
  });
}

function at(mountPoint: string, path: string): Buffer & PathLike {
  return Buffer.concat([Buffer.from(`${mountPoint}/`), Buffer.from(path, 'latin1')]);
}
