import { join } from 'node:path';
import { lockCache, loopDevicesOf } from '../../cache/index.js';
import { FUSE_TYPE } from '../../fuse/port.js';
import { IzoError } from '../../model/errors.js';
import { EXIT } from '../../model/exit-codes.js';
import { E } from '../../system/errno.js';
import { umount } from '../../system/mounting.js';
import { askMount } from '../../system/mount-answer.js';
import { findMountAt, findMountOf, type Mount } from '../../system/mounts.js';
import { run } from '../../system/processes.js';

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

/**
 * Takes a mount away that nobody serves. First by force, which lets go of all that waits for an answer: also the thread by
 * which a presto that was killed was telling the kernel something, and which keeps the connection from ending.
 */
export async function endMount(mountPoint: string): Promise<void> {
  const isOurs = findMountAt(mountPoint)?.type === FUSE_TYPE;
  const result = isOurs ? await umount(mountPoint, 'force') : -E.EBUSY;
  // Programs have files open in it, or a directory of it as their own.
  if (result === -E.EBUSY) await umount(mountPoint, 'lazy');
}

/** Removes a dead mount, and the lower mount and the loop device that its presto had. */
export async function cleanUnknownMount(runDir: string, mount: Mount): Promise<void> {
  await endMount(mount.mountPoint);
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
