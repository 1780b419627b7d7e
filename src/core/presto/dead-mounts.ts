import { join } from 'node:path';
import { lockCache, loopDevicesOf } from '../cache/index.js';
import { FUSE_TYPE } from '../fuse/port.js';
import { umount } from '../system/mounting.js';
import { findMountAt, findMountOf, isDeadMount, type Mount } from '../system/mounts.js';
import { run } from '../system/processes.js';

/** The mount at a place whose presto was killed: it answers ENOTCONN. Found also where no state file tells of it. */
export function findDeadMount(mountPoint: string): Mount | undefined {
  const mount = findMountAt(mountPoint);
  return mount?.type === FUSE_TYPE && isDeadMount(mountPoint) ? mount : undefined;
}

/** Removes a dead mount, and the lower mount and the loop device that its presto had. */
export async function cleanUnknownMount(runDir: string, mount: Mount): Promise<void> {
  await umount(mount.mountPoint, true);
  let unlock: () => void;
  try {
    unlock = await lockCache(mount.source);
  } catch {
    // Another presto has the cache by now, or it is gone: nothing there is a dead one's.
    return;
  }
  try {
    for (const device of await loopDevicesOf(mount.source)) {
      const lower = findMountOf(device);
      if (lower?.mountPoint.startsWith(join(runDir, 'lower', '/')) !== true) continue;
      await umount(lower.mountPoint, true);
      await run('losetup', ['--detach', device], { okCodes: [1] });
    }
  } finally {
    unlock();
  }
}
