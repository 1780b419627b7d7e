import { setTimeout as sleep } from 'node:timers/promises';
import { IzoError } from '../../model/errors.js';
import { EXIT } from '../../model/exit-codes.js';
import { E, errnoName } from '../../system/errno.js';
import { askMount } from '../../system/mount-answer.js';
import { umount, type Unmounting } from '../../system/mounting.js';
import { usersOf } from '../../system/mount-users.js';
import type { Mount } from '../../system/mounts.js';
import { run } from '../../system/processes.js';
import { cleanUnknownMount, endMount, findDeadMount } from './dead-mounts.js';
import { isAlive, listMounted, removeMountedState, type MountedState } from './mounted-state.js';
import { waitForPresto, type OnWaiting } from './patience.js';

/** How long a presto whose mount was ended by force may do nothing before it is killed. */
const FORCED_IDLE_MS = 3_000;
/** How long one attempt to get an answer of the mount lasts; there are more as long as presto gets on with something. */
const ANSWER_MS = 2_000;
/** How long the kernel may take to end a process that was killed. */
const KILLED_MS = 10_000;
/** How many of those who keep a mount busy are named. */
const USERS_NAMED = 3;

/**
 * Unmounts a fileset and waits until its presto has let go of everything; cleans up after a presto that was killed.
 * @param how lazy: also while programs use it, it goes when the last one lets go. force: programs are cut off, and a presto
 *   that hangs is killed; what it was doing is for the next mount to recover
 * @throws IzoError busy, umount-failed, presto-lingers
 */
export async function unmountFileset(
  runDir: string,
  state: MountedState,
  how: Unmounting = 'plain',
  onWaiting?: OnWaiting,
): Promise<void> {
  if (!isAlive(state.pid)) {
    await cleanDeadMount(runDir, state);
    return;
  }
  // Who unmounts waits in the kernel for what presto has to write.
  if (how === 'plain') await untilItAnswers(state, onWaiting);
  let result = await umount(state.mountPoint, how);
  if (result === -E.EBUSY && how === 'force') result = await umount(state.mountPoint, 'lazy');
  if (result === -E.EBUSY) throw busy(state.mountPoint, 'is in use');
  // EINVAL: it is not mounted (any more); its presto may be about to end.
  if (result < 0 && result !== -E.EINVAL) {
    throw new IzoError('umount-failed', `${state.mountPoint}: ${errnoName(result)}`);
  }
  if (how === 'plain') await waitForEnd(state, onWaiting);
  else if (how === 'force') await endOrKill(runDir, state, onWaiting);
}

/** Waits as long as presto gets on with something. @throws IzoError presto-lingers */
export function untilItAnswers(state: MountedState, onWaiting?: OnWaiting): Promise<void> {
  const answers = async () => (await askMount(state.mountPoint, ANSWER_MS)) !== 'silent';
  return waitForPresto(state, answers, onWaiting);
}

/** Why a mount cannot be changed, and who keeps it from that. */
export function busy(mountPoint: string, what: string): IzoError {
  const users = usersOf(mountPoint, USERS_NAMED + 1);
  const named = users.slice(0, USERS_NAMED).map(({ pid, command }) => `${command} (pid ${pid})`);
  if (users.length > USERS_NAMED) named.push('others');
  // None: it may be a mount below it, or a process in another mount namespace.
  const by = named.length === 0 ? '' : ` by ${named.join(', ')}`;
  return new IzoError('busy', `${mountPoint} ${what}${by}`, {
    exit: EXIT.busy,
    remedy: `End them, or see all: fuser -vm ${mountPoint}. Or: izo umountizo --lazy ${mountPoint}`,
  });
}

/** Waits until a presto whose mount is gone has flushed its logs and let go of the cache. @throws IzoError presto-lingers */
export function waitForEnd(state: MountedState, onWaiting?: OnWaiting): Promise<void> {
  return waitForPresto(state, () => false, onWaiting);
}

async function endOrKill(
  runDir: string,
  state: MountedState,
  onWaiting?: OnWaiting,
): Promise<void> {
  try {
    await waitForPresto(state, () => false, onWaiting, FORCED_IDLE_MS);
  } catch (error) {
    process.kill(state.pid, 'SIGKILL');
    const deadline = performance.now() + KILLED_MS;
    // One that waits for a disk that does not answer cannot be killed.
    while (isAlive(state.pid)) {
      if (performance.now() > deadline) throw error;
      await sleep(10);
    }
    await cleanDeadMount(runDir, state);
  }
}

/** What is left of a presto that was killed: the mount without anybody behind it, the lower mount, the loop device. */
export async function cleanDeadMount(runDir: string, state: MountedState): Promise<void> {
  await endMount(state.mountPoint);
  await umount(state.lowerPath, 'lazy');
  if (state.loopDevice !== undefined) {
    await run('losetup', ['--detach', state.loopDevice], { okCodes: [1] });
  }
  removeMountedState(runDir, state.psdev, state.fileset);
}

/** How all are unmounted. */
export interface UnmountAll {
  readonly how: Unmounting;
  /** What has to succeed before each that is alive. */
  readonly before?: ((state: MountedState) => Promise<void>) | undefined;
  readonly onWaiting?: OnWaiting;
}

/**
 * Unmounts what is mounted at the given places (mount points or caches), or everything; a dead mount that is named also
 * where nothing is written down of it. @returns the mount points, each when it is done
 * @throws IzoError not-mounted, mount-silent, and as unmountFileset
 */
export async function* unmountAll(
  runDir: string,
  wanted: readonly string[],
  { how, before, onWaiting }: UnmountAll,
): AsyncGenerator<string> {
  const known = listMounted(runDir).flatMap((state) => [state.mountPoint, state.device]);
  const unknown: Mount[] = [];
  for (const at of wanted) {
    const mount = known.includes(at) ? undefined : await findDeadMount(at);
    if (mount !== undefined) unknown.push(mount);
  }
  const rest = wanted.filter((at) => unknown.every((mount) => mount.mountPoint !== at));
  // Nobody named means everybody: not where all that were named are unknown ones.
  const states = wanted.length > 0 && rest.length === 0 ? [] : selectMounted(runDir, rest);
  for (const mount of unknown) {
    await cleanUnknownMount(runDir, mount);
    yield mount.mountPoint;
  }
  for (const state of states) {
    if (before !== undefined && isAlive(state.pid)) {
      await untilItAnswers(state, onWaiting);
      await before(state);
    }
    await unmountFileset(runDir, state, how, onWaiting);
    yield state.mountPoint;
  }
}

/** Those mounted at the given places, or all. @throws IzoError not-mounted */
function selectMounted(runDir: string, mountPoints: readonly string[]): MountedState[] {
  const all = listMounted(runDir);
  if (mountPoints.length === 0) return all;
  return mountPoints.map((wanted) => {
    const found = all.find((s) => s.mountPoint === wanted || s.device === wanted);
    if (found !== undefined) return found;
    throw new IzoError('not-mounted', `no fileset is mounted at ${wanted}`, {
      exit: EXIT.notRunning,
      remedy: 'See what is: izo status',
    });
  });
}
