import { readdir } from 'node:fs/promises';
import { isReservedAtRoot } from '../../model/names.js';
import { isWithin, treeOrder } from '../../model/tree-digest.js';
import { S_IFDIR, S_IFMT } from '../../system/attr.js';
import { openBeneath } from '../../system/beneath.js';
import { close, O_DIRECTORY, O_RDONLY } from '../../system/files.js';
import { readLowerObject, type LowerObject } from '../merging/lower-object.js';

export interface Walked {
  readonly path: string;
  readonly object: LowerObject;
}

/**
 * Everything at and below `path` that comes after `after`, in the order of `treeOrder`. The tree may change meanwhile: what
 * goes away while it is looked at is not there. Holds the names of the directories on the way, and nothing else.
 */
export async function* walkTree(
  lowerFd: number,
  path: string,
  after: string | undefined,
): AsyncGenerator<Walked, void, undefined> {
  // All of it comes before: nothing in here is even looked at.
  if (after !== undefined && treeOrder(path, after) < 0 && !isWithin(after, path)) return;
  const object = readLowerObject(lowerFd, path);
  if (object === undefined) return;
  if (after === undefined || treeOrder(path, after) > 0) yield { path, object };
  if ((object.mode & S_IFMT) !== S_IFDIR) return;
  for (const name of await namesIn(lowerFd, path)) {
    yield* walkTree(lowerFd, path === '' ? name : `${path}/${name}`, after);
  }
}

/** Sorted by their bytes; none where the directory is gone. */
async function namesIn(lowerFd: number, path: string): Promise<string[]> {
  const fd = openBeneath(lowerFd, path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return [];
  try {
    const names = await readdir(`/proc/self/fd/${fd}`, { encoding: 'buffer' });
    return names
      .map((name) => name.toString('latin1'))
      .filter((name) => path !== '' || !isReservedAtRoot(name))
      .sort();
  } finally {
    close(fd);
  }
}
