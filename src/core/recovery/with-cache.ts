import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { attach, detach, lockCache, lowerMountOptions } from '../cache/index.js';
import { contentsOf } from '../cache/contents.js';
import { openMeta } from '../journal/index.js';
import { IzoError } from '../model/errors.js';
import { errnoName, must } from '../system/errno.js';
import { AT_FDCWD, close, O_DIRECTORY, O_RDONLY, openat } from '../system/files.js';
import { mount, MountFlag, umount } from '../system/mounting.js';
import { raiseOpenFilesLimit } from '../system/open-files-limit.js';
import type { Lower } from './carry-out.js';

export interface CacheRequest {
  /** Image file or block device. */
  readonly device: string;
  readonly fileset: string;
  readonly runDir: string;
}

/**
 * Has a cache's lower tree to itself, mounted where only root reaches it, for as long as `work` takes.
 * @throws IzoError cache-busy, no-cache, not-a-cache, not-formatted, cache-mount
 */
export async function withCache<T>(request: CacheRequest, work: (lower: Lower) => T): Promise<T> {
  const { device, runDir, fileset } = request;
  raiseOpenFilesLimit();
  const unlock = await lockCache(device);
  try {
    const attached = await attach(device);
    try {
      mkdirSync(runDir, { recursive: true, mode: 0o700 });
      const path = mkdtempSync(join(runDir, 'recovery-'));
      try {
        return await mounted(attached.blockDevice, path, request, () => open(path, fileset, work));
      } finally {
        removeEmpty(path);
      }
    } finally {
      await detach(attached);
    }
  } finally {
    unlock();
  }
}

async function mounted<T>(
  blockDevice: string,
  path: string,
  { device }: CacheRequest,
  work: () => T,
): Promise<T> {
  const type = (await contentsOf(blockDevice))?.type;
  if (type !== 'ext3' && type !== 'ext4') {
    throw new IzoError('not-formatted', 'this is no cache', { place: { file: device } });
  }
  const flags = MountFlag.noatime | MountFlag.nosuid | MountFlag.nodev;
  const result = mount(blockDevice, path, type, flags, lowerMountOptions(type));
  if (result < 0) {
    throw new IzoError('cache-mount', `the cache cannot be mounted: ${errnoName(result)}`, {
      place: { file: device },
      remedy: `Check its file system first: e2fsck -f ${device}`,
    });
  }
  try {
    return work();
  } finally {
    must('umount', await umount(path), path);
  }
}

function open<T>(path: string, fileset: string, work: (lower: Lower) => T): T {
  const root = must('open', openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY), path);
  try {
    const meta = openMeta(root, fileset);
    try {
      return work({ path, root, meta, fileset });
    } finally {
      close(meta);
    }
  } finally {
    close(root);
  }
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Of no consequence: an empty directory; or still mounted, and that is told.
  }
}
