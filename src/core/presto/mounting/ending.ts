import type { FuseBinding } from '../../fuse/port.js';
import { findMountAt } from '../../system/mounts.js';
import { run } from '../../system/processes.js';
import type { PrestoLog } from '../presto.js';

/** How long those who still use the mount are served after a signal: well within the 5 s an init leaves before SIGKILL. */
const USERS_MS = 3_000;
const SYNC_MS = 10_000;

/** Which mount it is. */
interface MountedAt {
  readonly mountPoint: string;
  readonly source: string;
}

/** Resolves when the mount is gone: somebody unmounted it, or `stop` was aborted and it was ended here. */
export async function untilUnmounted(
  binding: FuseBinding,
  mount: MountedAt,
  log: PrestoLog,
  stop: AbortSignal,
): Promise<void> {
  const stopped = new Promise<'stopped'>((resolve) => {
    if (stop.aborted) resolve('stopped');
    else stop.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  if ((await Promise.race([binding.unmounted, stopped])) !== 'stopped') return;
  log('info', `${String(stop.reason)}: unmounting ${mount.mountPoint}`);
  await endMount(binding, mount, log);
}

/**
 * Takes the mount out of the tree and serves who uses it for a while; then whoever still does is cut off, and what was
 * written is on the disk before.
 */
async function endMount(binding: FuseBinding, mount: MountedAt, log: PrestoLog): Promise<void> {
  // After `umount -l` another file system may be mounted there: that one stays.
  if (findMountAt(mount.mountPoint)?.source === mount.source) {
    try {
      await binding.unmount(true);
    } catch (error) {
      log('error', `it cannot be unmounted: ${String(error)}`);
    }
  }
  if (await within(binding.unmounted, USERS_MS)) return;
  log('warn', 'programs still use the mount: they are cut off');
  try {
    // What they wrote through memory maps is in the kernel's cache until it is written back, through us.
    await run('sync', [], { timeoutMs: SYNC_MS });
  } catch (error) {
    log('error', `what was written through memory maps may be lost: ${String(error)}`);
  }
  await binding.cut();
}

async function within(end: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const result = await Promise.race([end.then(() => true), late]);
  clearTimeout(timer);
  return result;
}
