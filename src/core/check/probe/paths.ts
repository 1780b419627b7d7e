import { readdirSync, statfsSync, statSync } from 'node:fs';
import { askMount } from '../../system/mount-answer.js';
import { findMountAt } from '../../system/mounts.js';
import type { MountPointFacts, PathFacts } from '../facts.js';

const NOTHING = { mode: 0, uid: 0, size: 0, occupied: 0 };
const BLOCK_BYTES = 512;

/** What a path is, links followed. Never throws. */
export function probePath(path: string): PathFacts {
  try {
    const found = statSync(path);
    const kind = found.isDirectory()
      ? 'directory'
      : found.isFile()
        ? 'file'
        : found.isBlockDevice()
          ? 'block'
          : 'other';
    const { mode, uid, size, blocks } = found;
    return { kind, mode: mode & 0o7777, uid, size, occupied: blocks * BLOCK_BYTES };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    return { kind: isMissing ? 'missing' : 'unknown', ...NOTHING };
  }
}

export function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** A mount of FUSE is asked first, for its server may hang. */
export async function probeMountPoint(path: string): Promise<MountPointFacts> {
  const mounted = findMountAt(path)?.type;
  const names = mounted === undefined ? namesIn(path).length : 0;
  const answer = mounted?.startsWith('fuse') === true ? await askMount(path) : 'answers';
  const found: PathFacts = answer === 'answers' ? probePath(path) : { kind: 'unknown', ...NOTHING };
  return { ...found, names, mounted, answer };
}

/** Bytes free for root in the file system of a path; without limit where that cannot be known. */
export function roomAt(path: string): number {
  try {
    const { bfree, bsize } = statfsSync(path);
    return bfree * bsize;
  } catch {
    return Infinity;
  }
}
