import { readdirSync } from 'node:fs';
import { IzoError } from '../../model/errors.js';
import { NO_OBJECT, sameObject } from '../../model/ids.js';
import { displayBytes, isReservedAtRoot, splitPath } from '../../model/names.js';
import type { TreeEntry } from '../../model/object-description.js';
import { join } from '../../replication/merge/tree-names.js';
import { S_IFDIR, S_IFMT } from '../../system/attr.js';
import { openBeneath } from '../../system/beneath.js';
import { close, O_DIRECTORY, O_RDONLY } from '../../system/files.js';
import { flagsAt, readLowerObject } from '../merging/lower-object.js';

/** Time that a walk may take from other work, at a stretch. */
const SLICE_MS = 8;

/**
 * Every object of a lower tree under each of its names, directories before what is in them. What is removed meanwhile is
 * left out. Holds one path from the root at a time, not the tree. @throws IzoError for what has no identity; SystemError
 */
export async function* lowerEntries(lowerFd: number, from = ''): AsyncGenerator<TreeEntry, void> {
  let sliceEnd = performance.now() + SLICE_MS;
  const pending: { path: string; names: string[]; flags: number }[] = [];
  const enter = (path: string, within: number): TreeEntry | undefined => {
    const found = readLowerObject(lowerFd, path, { allFlags: true, within });
    if (found === undefined) return undefined;
    if (path !== '' && sameObject(found.object, NO_OBJECT)) {
      throw new IzoError('no-identity', `${displayBytes(path)} has no identity`);
    }
    if ((found.mode & S_IFMT) === S_IFDIR) {
      pending.push({ path, names: namesIn(lowerFd, path), flags: flagsAt(lowerFd, path) });
    }
    return { path, ...found };
  };
  const root = enter(from, from === '' ? 0 : flagsAt(lowerFd, splitPath(from).directory));
  if (root !== undefined) yield root;
  for (let at = pending.at(-1); at !== undefined; at = pending.at(-1)) {
    const name = at.names.pop();
    if (name === undefined) {
      pending.pop();
      continue;
    }
    if (at.path === '' && isReservedAtRoot(name)) continue;
    const entry = enter(join(at.path, name), at.flags);
    if (entry !== undefined) yield entry;
    if (performance.now() < sliceEnd) continue;
    await new Promise((resume) => setImmediate(resume));
    sliceEnd = performance.now() + SLICE_MS;
  }
}

function namesIn(lowerFd: number, path: string): string[] {
  const fd = openBeneath(lowerFd, path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return [];
  try {
    return readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' });
  } finally {
    close(fd);
  }
}
