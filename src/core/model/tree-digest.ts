import type { ObjectId, Stamp } from './ids.js';
import type { Time } from './records.js';

/** What stands at a path of a tree, with digests in the place of what is large. */
export interface TreeDigest {
  readonly path: string;
  /** Type and permission bits, as stat(2) has them. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  /** Number of names; of a directory 1. */
  readonly links: number;
  readonly mtime: Time;
  /** Bytes of the contents; of anything but a file 0. */
  readonly size: number;
  /** Of a symbolic link. */
  readonly target: string;
  /** SHA-256 of the contents of a file; empty where there are none, or nobody asked for it. */
  readonly digest: Buffer;
  readonly object: ObjectId;
  readonly content: Stamp;
  readonly attributes: Stamp;
  /** In the order of their names. */
  readonly xattrs: readonly XattrDigest[];
}

export interface XattrDigest {
  readonly name: string;
  /** Length of the value, and its SHA-256. */
  readonly bytes: number;
  readonly digest: Buffer;
}

/**
 * The order in which trees are walked: a directory before what is in it, and all of that before the next name of the same
 * directory; names in the order of their bytes. Negative where `a` comes first.
 */
export function treeOrder(a: string, b: string): number {
  if (a === b) return 0;
  const x = a.replaceAll('/', '\0');
  const y = b.replaceAll('/', '\0');
  return x < y ? -1 : 1;
}

/** Whether `path` is at or below `directory`; everything is below the root (''). */
export function isWithin(path: string, directory: string): boolean {
  return directory === '' || path === directory || path.startsWith(`${directory}/`);
}
