import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { namesInMeta } from '../cache/contents.js';
import { cacheBehind } from '../cache/index.js';
import { listFstabEntries } from '../config/fstab.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { isValidHostName } from '../model/names.js';
import { listMounted } from '../presto/mounting/mounted-state.js';

/** A cache and the fileset that it holds. */
export interface FoundCache {
  readonly device: string;
  readonly fileset: string;
}

/**
 * The cache that a user means who names a fileset, a mount point or the cache itself, which need not be mounted: what a dead
 * presto has left and /etc/fstab say where it is.
 * @throws IzoError which-cache
 */
export async function findCache(wanted: string, runDir: string): Promise<FoundCache> {
  const path = resolve(wanted);
  for (const { fileset, mountPoint, device } of listMounted(runDir)) {
    if ([fileset, device].includes(wanted) || [mountPoint, device].includes(path)) {
      return { fileset, device };
    }
  }
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isFile() === true || status?.isBlockDevice() === true) {
    const device = cacheBehind(path);
    return { device, fileset: await filesetOn(device) };
  }
  for (const entry of fstab()) {
    const { fileset } = entry.mountOptions;
    if (fileset === undefined) continue;
    if (fileset === wanted || resolve(entry.mountPoint) === path) {
      return { device: resolve(entry.spec), fileset };
    }
  }
  throw new IzoError('which-cache', `no cache is known for "${wanted}"`, {
    exit: EXIT.usage,
    remedy: 'Name the image file or the device of the cache.',
  });
}

function fstab() {
  try {
    return listFstabEntries().flatMap((entry) => (entry instanceof IzoError ? [] : [entry]));
  } catch {
    return [];
  }
}

async function filesetOn(device: string): Promise<string> {
  const [name, ...others] = (await namesInMeta(device)).filter(isValidHostName);
  if (name !== undefined && others.length === 0) return name;
  throw new IzoError('which-cache', 'this is not the cache of one fileset', {
    exit: EXIT.refused,
    place: { file: device },
    remedy: 'A cache is made by: izo mkizofs -v FSET FILE',
  });
}
