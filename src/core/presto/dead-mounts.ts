import { join } from 'node:path';
import { lockCache, loopDevicesOf } from '../cache/index.js';
import { FUSE_TYPE } from '../fuse/port.js';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { umount } from '../system/mounting.js';
import { askMount } from '../system/mount-answer.js';
import { findMountAt, findMountOf, type Mount } from '../system/mounts.js';
import { run } from '../system/processes.js';

/**
 * The mount at a place whose presto was killed: it answers ENOTCONN. Found also where no state file tells of it.
 * @throws IzoError mount-silent: somebody serves it, and does not answer
 */
export async function findDeadMount(mountPoint: string): Promise<Mount | undefined> {
  const mount = findMountAt(mountPoint);
  if (mount?.type !== FUSE_TYPE) return undefined;
  const answer = await askMount(mountPoint);
  if (answer === 'silent') {
    throw new IzoError('mount-silent', `${mountPoint} is mounted and does not answer`, {
      exit: EXIT.timeout,
      remedy: `Find its presto and end it: pgrep -af presto. Or: umount -i --force --lazy ${mountPoint}`,
    });
  }
  return answer === 'dead' ? mount : undefined;
}

/** Removes a dead mount, and the lower mount and the loop device that its presto had. */
export async function cleanUnknownMount(runDir: string, mount: Mount): Promise<void> {
  await umount(mount.mountPoint, 'lazy');
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
      await umount(lower.mountPoint, 'lazy');
      await run('losetup', ['--detach', device], { okCodes: [1] });
    }
  } finally {
    unlock();
  }
}
