import { closeSync, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LowerMount } from '../../../src/core/cache/index.js';
import { attach, detach } from '../../../src/core/cache/attach.js';
import { must } from '../../../src/core/system/errno.js';
import { mount, MountFlag, umount } from '../../../src/core/system/mounting.js';
import { FILESET, type CacheType } from '../mounted-host.js';

/** Mounts the lower tree of a cache at `path`, which is made, as izo does; but takes it as it is, ordered or not. */
export async function mountLowerTree(
  image: string,
  path: string,
  type: CacheType,
): Promise<LowerMount> {
  const attached = await attach(image);
  mkdirSync(path, { recursive: true });
  const options = type === 'ext4' ? 'nodelalloc' : '';
  try {
    must('mount', mount(attached.blockDevice, path, type, MountFlag.noatime, options), image);
  } catch (error) {
    await detach(attached);
    throw error;
  }
  const rootFd = openSync(path, 'r');
  const stageFd = openSync(join(path, '.intermezzo', FILESET, 'stage'), 'r');
  const release = async (): Promise<void> => {
    closeSync(stageFd);
    closeSync(rootFd);
    must('umount', await umount(path), path);
    rmdirSync(path);
    await detach(attached);
  };
  return { rootFd, stageFd, path, loopDevice: attached.loopDevice, release };
}
